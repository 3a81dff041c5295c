"""One end of a WebSocket over aiohttp, the same for server and client. `websocket.py` makes them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiohttp import ClientError, WebSocketError, WSMessage, WSMsgType

from lumi.errors import ConnectionLost
from lumi.transport.base import LinkInfo

WRITE_LIMIT_BYTES = 16 * 1024
"""Unsent bytes after which `send` waits: some 6 s of 60 ms Opus packets."""

CLOSE_WAIT_S = 1.0
"""How long `close` waits for the peer's answer."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.002, 0.1

_PAUSE_BYTES = 256 * 1024
"""Unsent bytes at which aiohttp itself waits; only answers to a flood of pings get there."""

_REASON_BYTES = 123  # RFC 6455, 5.5: a control frame holds 125 bytes, two are the code

_TCP_OPTIONS = {
    "TCP_NODELAY": 1,
    "TCP_KEEPIDLE": 60,  # seconds of silence, then a probe every 15 s: a dead line is found in two minutes
    "TCP_KEEPINTVL": 15,
    "TCP_KEEPCNT": 4,
    "TCP_USER_TIMEOUT": 60_000,  # ms that what was sent may stay unconfirmed: no probe goes out while that is tried again
    "TCP_NOTSENT_LOWAT": WRITE_LIMIT_BYTES,  # else the kernel swallows megabytes before a slow reader is felt
}


class Socket(Protocol):
    """What aiohttp's two WebSocket classes have in common, as far as a link needs it."""

    async def receive(self) -> WSMessage: ...

    async def send_frame(self, message: bytes, opcode: WSMsgType) -> None: ...

    async def close(self, *, code: int, message: bytes) -> bool: ...


class WebSocketLink:
    """One end of a WebSocket; made by `websocket.accept` or `websocket.connect`."""

    __slots__ = ("_info", "_lost", "_max_frame_bytes", "_release", "_transport", "_ws")

    def __init__(
        self,
        ws: Socket,
        transport: asyncio.Transport,
        info: LinkInfo,
        *,
        max_frame_bytes: int,
        release: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`release` gives back what the connection stood on; it may be called more than once."""
        self._ws = ws
        self._transport = transport
        self._info = info
        self._max_frame_bytes = max_frame_bytes
        self._release = release
        self._lost: ConnectionLost | None = None
        _tune(transport)

    @property
    def info(self) -> LinkInfo:
        return self._info

    async def receive(self) -> str | bytes:
        """The next frame. Only one task may receive."""
        self._raise_if_lost()
        try:
            message = await self._ws.receive()
        except (ClientError, ConnectionError) as error:
            raise await self._end(1006, str(error)) from error
        frame: str | bytes = message.data
        if message.type is WSMsgType.BINARY:
            size = len(frame)
        elif message.type is WSMsgType.TEXT:
            size = _text_bytes(message.data, self._max_frame_bytes)
        else:
            raise await self._end(*_close_of(message))
        if size > self._max_frame_bytes:
            await self.close(1009, f"frames may be {self._max_frame_bytes} bytes at most")
            self._raise_if_lost()
        return frame

    async def send(self, frame: str | bytes) -> None:
        """Frames leave in the order of the calls, also from different tasks."""
        self._raise_if_lost()
        try:
            if isinstance(frame, bytes):
                await self._ws.send_frame(frame, WSMsgType.BINARY)
            else:
                await self._ws.send_frame(frame.encode(), WSMsgType.TEXT)
        except (ClientError, ConnectionError) as error:
            self._raise_if_lost()
            raise ConnectionLost(1006, str(error)) from error
        if self._unsent_bytes() > WRITE_LIMIT_BYTES:
            await self._wait_for_room()

    async def _wait_for_room(self) -> None:
        """Look again, ever more rarely, until the peer has read. aiohttp's own waiting will not do: its waiters share
        one future, so that cancelling one of them cancels them all.
        """
        pause_s = 0.0  # at first only let the loop write: uvloop collects what one of its turns sends
        while self._unsent_bytes() > WRITE_LIMIT_BYTES:
            await asyncio.sleep(pause_s)
            self._raise_if_lost()
            if self._transport.is_closing():
                raise ConnectionLost(1006, "the peer has gone")
            pause_s = min(max(pause_s * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)

    def _unsent_bytes(self) -> int:
        try:
            return self._transport.get_write_buffer_size()
        except AttributeError:  # asyncio's TLS, closed twice: it has let go of what it could ask
            return 0

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._lost is None:
            self._lost = ConnectionLost(code, reason)
        message = reason.encode()[:_REASON_BYTES].decode(errors="ignore").encode()
        try:
            async with asyncio.timeout(CLOSE_WAIT_S):
                await self._ws.close(code=code, message=message)
        except (TimeoutError, ClientError, ConnectionError):
            pass  # the peer does not answer: that it is told no more is all there is to do
        finally:
            if self._unsent_bytes():
                self._transport.abort()  # it does not read either: what is unsent would stay in memory
            await self._give_back()

    def cut(self) -> None:
        """Lose the connection as a broken wire does: no close frame, and what was unsent is gone."""
        self._transport.abort()

    def _raise_if_lost(self) -> None:
        if self._lost is not None:
            raise ConnectionLost(self._lost.code, self._lost.reason)

    async def _end(self, code: int, reason: str) -> ConnectionLost:
        """The peer ended it, or the line did; if we closed it ourselves, our own reason stands."""
        if self._lost is None:
            self._lost = ConnectionLost(code, reason)
            await self._give_back()
        return ConnectionLost(self._lost.code, self._lost.reason)

    async def _give_back(self) -> None:
        if self._release is not None:
            await self._release()


def _tune(transport: asyncio.Transport) -> None:
    transport.set_write_buffer_limits(high=_PAUSE_BYTES)
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with contextlib.suppress(OSError):  # closed already, or a system that knows the name but not the option
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _TCP_OPTIONS.items():
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _text_bytes(text: str, limit: int) -> int:
    """Bytes of `text` on the wire, exact only where it could matter: a character has 4 at most."""
    return len(text) if len(text) > limit or len(text) * 4 <= limit else len(text.encode())


def _close_of(message: Any) -> tuple[int, str]:
    """Close code and reason of what aiohttp returns instead of a frame."""
    if message.type is WSMsgType.CLOSE:
        return message.data or 1005, message.extra or ""  # 1005: the peer gave no code
    if message.type is WSMsgType.ERROR and isinstance(message.data, WebSocketError):
        return int(message.data.code), str(message.data)
    return 1006, ""
