"""The outgoing half of a link: whatever is put goes out in order, one frame at a time, by one task.

The queue is bounded. Nothing in it is dropped singly: a peer that reads so slowly that the bound is reached has lost
the thread anyway, and is cut off, so that it holds no more memory than that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lumi.protocol.messages import AudioFrame, CloseCode, Message
from lumi.transport.base import Link

Outgoing = Message | AudioFrame | str
"""A `str` is a frame already encoded."""

Encode = Callable[[Message | AudioFrame], str | bytes | None]
"""None: this peer did not ask for such a thing, and does not get it."""

FAREWELL_S = 1.0
"""How long what still waits may take to go out once the link is to be closed."""


class LinkWriter:
    """Owns the queue. `put` and `finish` never wait; `run` is the task."""

    def __init__(self, link: Link, encode: Encode, *, max_frames: int) -> None:
        self.watch: Callable[[str | bytes], None] | None = None
        """Told of every frame just before it goes out."""
        self._link = link
        self._encode = encode
        self._max_frames = max_frames
        # A list, and a future only while asleep: a deque and an event cost 1.3 KB on each of thousands of idle links.
        self._waiting: list[Outgoing] = []
        self._asleep: asyncio.Future[None] | None = None
        self._farewell: tuple[int, str] | None = None
        self._deadline = asyncio.timeout(None)
        self._running = False
        self._close_at: float | None = None

    @property
    def finishing(self) -> tuple[int, str] | None:
        """Close code and reason, once the link is to be closed."""
        return self._farewell

    @property
    def waiting_frames(self) -> int:
        return len(self._waiting)

    def put(self, item: Outgoing) -> None:
        """Queue a frame; after `finish` it is dropped."""
        if self._farewell is not None:
            return
        if len(self._waiting) >= self._max_frames:
            self._waiting.clear()
            self.finish(CloseCode.TRY_LATER, "reading too slowly", within_s=0.0)
            return
        self._waiting.append(item)
        self._wake()

    def finish(self, code: int, reason: str, *, within_s: float = FAREWELL_S) -> None:
        """Send what waits, for at most `within_s`, then close. The first call decides."""
        if self._farewell is not None:
            return
        self._farewell = (code, reason)
        self._close_at = asyncio.get_running_loop().time() + within_s
        self._wake()
        if self._running:
            self._deadline.reschedule(self._close_at)

    async def run(self) -> None:
        """Send until `finish`, then close the link.

        Raises:
            ConnectionLost: the peer went first.
            LocalProtocolError: something was put that this side may not send.
        """
        try:
            async with self._deadline:
                self._deadline.reschedule(self._close_at)
                self._running = True
                await self._send_all()
        except TimeoutError:
            self._waiting.clear()
        finally:
            self._running = False
        code, reason = self._farewell or (CloseCode.INTERNAL, "")
        await self._link.close(code, reason)

    async def _send_all(self) -> None:
        while True:
            while self._waiting:
                item = self._waiting.pop(0)
                frame = item if isinstance(item, str) else self._encode(item)
                if frame is not None:
                    if self.watch is not None:
                        self.watch(frame)
                    await self._link.send(frame)
            if self._farewell is not None:
                return
            self._asleep = asyncio.get_running_loop().create_future()
            await self._asleep

    def _wake(self) -> None:
        if self._asleep is not None and not self._asleep.done():
            self._asleep.set_result(None)
