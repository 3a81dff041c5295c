"""A proxy between real sockets that breaks connections by plan, at any byte: within a frame, within its header.

async with TcpFaultProxy("127.0.0.1", server.port, plan) as proxy, lumi.connect(proxy.url) as client: …
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from lumi.testing.fault_proxy import Way

CHUNK_BYTES = 4096
PATIENCE_S = 2.0
"""How long an ended connection may take to hand over what is left."""

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends RST, and what is unsent is gone."""


@dataclass(frozen=True, slots=True)
class ByteCut:
    """Where a connection breaks: when `after_bytes` of one direction have been passed on.

    `reset`: both ends get RST; otherwise FIN, as if the peer had closed without a word.
    """

    way: Way
    after_bytes: int
    reset: bool


def random_byte_cut(chance: random.Random, *, up_bytes: int, down_bytes: int) -> ByteCut:
    """A cut anywhere in so many bytes of a direction."""
    way = chance.choice(list(Way))
    most = up_bytes if way is Way.UP else down_bytes
    return ByteCut(way, chance.randint(0, most), reset=chance.random() < 0.5)


BytePlan = Callable[[int], ByteCut | None]
"""The cut of connection number n, counted from 0; None: it lasts."""


class TcpFaultProxy:
    """Listens on a free port of this machine from entering to leaving; leaving breaks what is left."""

    def __init__(self, host: str, port: int, plan: BytePlan = lambda _number: None) -> None:
        self.plan = plan
        self.connections = 0
        self.cuts = 0
        """Connections that broke as planned."""
        self.resets = 0
        """Those of them that broke with RST."""
        self.url = ""
        """For a WebSocket client."""
        self._target = (host, port)
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        if isinstance(error, asyncio.CancelledError):  # perhaps the group's own doing: it must see it
            await self._group.__aexit__(kind, error, trace)
        else:
            await self._group.__aexit__(None, None, None)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, self.connections = self.connections, self.connections + 1
        task = self._group.create_task(self._lead(number, reader, writer), name=f"proxied {number}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _lead(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cut = self.plan(number)
        writers = [writer]
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            writers.append(far_writer)
            broken = await _relay(
                _Pump(reader, far_writer, _budget(cut, Way.UP)),
                _Pump(far_reader, writer, _budget(cut, Way.DOWN)),
            )
            if broken and cut is not None:
                self.cuts += 1
                self.resets += cut.reset
                if cut.reset:
                    for one in writers:
                        _reset(one)
        except OSError:
            _reset(writer)  # nobody listens there: the client is told as plainly
        finally:
            for one in writers:
                one.close()
            await _gone(writers)


def _budget(cut: ByteCut | None, way: Way) -> int | None:
    return cut.after_bytes if cut is not None and cut.way is way else None


@dataclass(slots=True)
class _Pump:
    """One direction."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    left_bytes: int | None

    async def run(self) -> bool:
        """True: cut as planned; False: it ended by itself."""
        while self.left_bytes != 0:
            try:
                data = await self.reader.read(CHUNK_BYTES)
                if not data:
                    return False
                if self.left_bytes is not None:
                    data = data[: self.left_bytes]
                    self.left_bytes -= len(data)
                self.writer.write(data)
                await self.writer.drain()
            except OSError:
                return False
        return True


async def _relay(*pumps: _Pump) -> bool:
    """Both directions until one ends; whether that was planned."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(pump.run()) for pump in pumps]
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
    return any(task.result() for task in done)


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):  # it is gone already
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


async def _gone(writers: list[asyncio.StreamWriter]) -> None:
    """Wait until what was passed on is out; who does not read it is cut off."""
    for writer in writers:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await writer.wait_closed()
        except TimeoutError:
            writer.transport.abort()
        except OSError:
            continue  # broken: that is gone, too
