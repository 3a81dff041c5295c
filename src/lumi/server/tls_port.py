"""The second port: TLS before the same application. Handshakes are bounded in time, and counted.

Whoever speaks something else is known by the first byte, which is looked at before anything is taken from the socket:
HTTP gets an answer that a person can read, anything else a closed connection.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from lumi.server.background import Background
from lumi.server.limits import Addresses
from lumi.server.log import Subject, logger
from lumi.server.port import BACKLOG, Factory, refusal

SETTING = "server.tls_port"
HANDSHAKE = b"\x16"
"""First byte of whoever speaks TLS: a record of this type (RFC 8446, 5.1)."""

AT_ONCE = 1024
"""Handshakes at once; who comes beyond waits to be accepted."""

TRY_AGAIN_S = 0.1
"""After a connection could not be accepted, most often for want of file descriptors."""

WORDS = b"400: this port speaks TLS. Open https:// (or wss://) instead of http:// (or ws://).\n"
ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(WORDS), WORDS)
)


class Handshake(StrEnum):
    """What came of a connection."""

    DONE = "done"
    FAILED = "failed"
    """It broke off, often since the client does not trust the certificate; or what came was no TLS."""
    SLOW = "slow"
    PLAIN = "plain"
    """HTTP without TLS."""
    REFUSED = "refused"
    """Too many from one address."""


@dataclass(frozen=True, slots=True)
class TlsDoor:
    """What stands before the application.

    Attributes:
        factory: makes the protocol of a connection.
        context: for connections from now on.
        count: told of every outcome.
        handshake_s: how long one may take.
        addresses: how many handshakes there may be from one address.
    """

    factory: Factory
    context: Callable[[], ssl.SSLContext]
    count: Callable[[str], None]
    handshake_s: float
    addresses: Addresses = field(default_factory=Addresses)

    async def greet(self, sock: socket.socket, address: str) -> Handshake:
        """Take one connection in, or end it."""
        outcome = Handshake.REFUSED
        try:
            if self.addresses.enter(address):
                try:
                    outcome = await self._shake_hands(sock)
                finally:
                    self.addresses.leave(address)
        finally:
            if outcome is not Handshake.DONE:
                sock.close()
        self.count(outcome)
        if outcome is not Handshake.DONE:
            logger(Subject.HTTP).debug("no TLS", remote=address, why=str(outcome))
        return outcome

    async def _shake_hands(self, sock: socket.socket) -> Handshake:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.handshake_s):
                first = await peek(sock)
                if first != HANDSHAKE:
                    return await _explain(sock) if first.isalpha() else Handshake.FAILED
                await loop.connect_accepted_socket(self.factory, sock, ssl=self.context())
        except TimeoutError:
            return Handshake.SLOW
        except OSError:  # ssl.SSLError is one
            return Handshake.FAILED
        except Exception:  # noqa: BLE001 - the guard of a connection: the traceback is logged, nobody else loses theirs
            logger(Subject.ERROR).exception("TLS handshake broke")
            return Handshake.FAILED
        return Handshake.DONE


@asynccontextmanager
async def secured(host: str, port: int, door: TlsDoor) -> AsyncIterator[int]:
    """Listen while this lasts; gives the port.

    Raises:
        ConfigError: the port cannot be had; names the setting.
    """
    try:
        listeners = await bound(host, port)
    except OSError as error:
        raise refusal(error, host, port, SETTING) from error
    try:
        async with Background() as tasks:
            room = asyncio.Semaphore(AT_ONCE)
            for listener in listeners:
                tasks.start("accept TLS", _accept(listener, door, tasks, room))
            yield int(listeners[0].getsockname()[1])
    finally:
        for listener in listeners:
            listener.close()


async def bound(host: str, port: int) -> list[socket.socket]:
    """A listening socket for each address that `host` stands for."""
    found = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    listeners: list[socket.socket] = []
    try:
        for family, *_, address in dict.fromkeys(found):
            listener = socket.create_server(address, family=family, backlog=BACKLOG)
            listener.setblocking(False)
            listeners.append(listener)
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


async def _accept(listener: socket.socket, door: TlsDoor, tasks: Background, room: asyncio.Semaphore) -> None:
    loop = asyncio.get_running_loop()

    async def greet(sock: socket.socket, address: str) -> None:
        try:
            await door.greet(sock, address)
        finally:
            room.release()

    while True:
        await room.acquire()
        try:
            sock, address = await loop.sock_accept(listener)
        except OSError:
            room.release()
            await asyncio.sleep(TRY_AGAIN_S)
        else:
            tasks.start("TLS handshake", greet(sock, str(address[0])))


async def peek(sock: socket.socket) -> bytes:
    """The first byte that comes, left where it is; empty when the other end has closed."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    while True:
        try:
            return sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            readable.clear()
        try:
            loop.add_reader(sock, readable.set)
        except NotImplementedError:  # Windows: the handshake itself will find out
            return HANDSHAKE
        try:
            await readable.wait()
        finally:
            loop.remove_reader(sock)


async def _explain(sock: socket.socket) -> Handshake:
    """Say in plain HTTP what is wanted here. What came is taken first: unread, it would make the answer be lost."""
    sock.recv(65_536)
    await asyncio.get_running_loop().sock_sendall(sock, ANSWER)
    sock.shutdown(socket.SHUT_WR)
    return Handshake.PLAIN
