"""A link within the process: two ends, joined by two bounded pipes. It behaves as a WebSocket does, without a socket."""

from __future__ import annotations

import asyncio
from collections import deque

from lumi.errors import ConnectionLost
from lumi.transport.base import LinkInfo

CAPACITY_BYTES = 16 * 1024
"""What one direction holds before `send` waits: some 6 s of 60 ms Opus packets, as on a socket."""

FRAME_OVERHEAD_BYTES = 8
"""Counted for each frame, so that empty ones fill a pipe too."""


def memory_link_pair(
    info: LinkInfo | None = None, *, capacity_bytes: int = CAPACITY_BYTES, max_frame_bytes: int | None = None
) -> tuple[MemoryLink, MemoryLink]:
    """Two ends of one connection: (client, server).

    Args:
        info: what the server sees of the client's request; both ends show it.
        capacity_bytes: one direction's buffer. A `send` beyond it waits until the peer has read.
        max_frame_bytes: a frame longer than this, sent to the server, closes the connection with 1009.
    """
    shown = info or LinkInfo()
    up, down = _Pipe(capacity_bytes, max_frame_bytes), _Pipe(capacity_bytes, None)
    return MemoryLink(shown, incoming=down, outgoing=up), MemoryLink(shown, incoming=up, outgoing=down)


class MemoryLink:
    """One end; made by `memory_link_pair`."""

    def __init__(self, info: LinkInfo, *, incoming: _Pipe, outgoing: _Pipe) -> None:
        self._info = info
        self._incoming = incoming
        self._outgoing = outgoing

    @property
    def info(self) -> LinkInfo:
        return self._info

    async def receive(self) -> str | bytes:
        return await self._incoming.get()

    async def send(self, frame: str | bytes) -> None:
        if self._outgoing.too_large(frame):
            self._end(ConnectionLost(1009, f"frames may be {self._outgoing.max_frame_bytes} bytes at most"))
        await self._outgoing.put(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """The peer still reads what was sent before; this end reads nothing more."""
        self._end(ConnectionLost(code, reason))
        self._incoming.drop()

    def cut(self) -> None:
        """Lose the connection as a broken wire does: no close code, and what was on its way is gone."""
        self._end(ConnectionLost(1006, "the line was cut"))
        self._incoming.drop()
        self._outgoing.drop()

    def _end(self, why: ConnectionLost) -> None:
        self._incoming.end(why)
        self._outgoing.end(why)


class _Pipe:
    """Frames in one direction, bounded by bytes: a frame is taken at once, then its sender waits for room."""

    def __init__(self, capacity_bytes: int, max_frame_bytes: int | None) -> None:
        self._capacity_bytes = capacity_bytes
        self.max_frame_bytes = max_frame_bytes
        self._frames: deque[str | bytes] = deque()
        self._held_bytes = 0
        self._ended: ConnectionLost | None = None
        self._changed = asyncio.Event()

    def too_large(self, frame: str | bytes) -> bool:
        return self.max_frame_bytes is not None and _size(frame) > self.max_frame_bytes + FRAME_OVERHEAD_BYTES

    async def put(self, frame: str | bytes) -> None:
        self._raise_if_ended()
        self._frames.append(frame)
        self._held_bytes += _size(frame)
        self._wake()
        while self._held_bytes > self._capacity_bytes:
            await self._changed.wait()
            self._raise_if_ended()

    async def get(self) -> str | bytes:
        while not self._frames:
            self._raise_if_ended()
            await self._changed.wait()
        frame = self._frames.popleft()
        self._held_bytes -= _size(frame)
        self._wake()
        return frame

    def end(self, why: ConnectionLost) -> None:
        """The first reason stays."""
        if self._ended is None:
            self._ended = why
        self._wake()

    def drop(self) -> None:
        self._frames.clear()
        self._held_bytes = 0
        self._wake()

    def _raise_if_ended(self) -> None:
        if self._ended is not None:
            raise ConnectionLost(self._ended.code, self._ended.reason)

    def _wake(self) -> None:
        """Wake whoever waits now; who comes later waits for the next change."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _size(frame: str | bytes) -> int:
    return FRAME_OVERHEAD_BYTES + (len(frame) if isinstance(frame, bytes) else len(frame.encode()))
