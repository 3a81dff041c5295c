"""The way up, on the event loop: one listener's packets wait here for the pool, and their results come back here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from lumi.audio.format import AudioFormat
from lumi.audio.hearing import Ear, Heard

MAX_PENDING: Final = 100
"""Packets one uplink may have waiting (6 s at 60 ms); beyond it the oldest are dropped and counted."""

MAX_PER_HOP: Final = 16
"""Packets of one uplink in one hop: a listener that sends a recording at once does not hold up the others."""


class Uplink:
    """One listener's packets on their way to the pool; made by `MediaPool.open_uplink`.

    Args:
        on_heard: called on the loop, in the order of the packets; never after `close`.
        wake: tells the pool that this uplink has work, and whether somebody waits for it.
    """

    def __init__(
        self, audio: AudioFormat, on_heard: Callable[[Heard], None], wake: Callable[[Uplink, bool], None]
    ) -> None:
        self.ear = Ear(audio)
        self.dropped = 0
        self._on_heard = on_heard
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._pending: list[bytes] = []  # bounded by `push`: oldest audio dropped
        self._unreported = 0
        self._pushed = 0
        self._heard = 0
        self._flushes: list[tuple[int, asyncio.Future[None]]] = []
        self._closed = False

    @property
    def pending(self) -> int:
        """Packets that wait."""
        return len(self._pending)

    @property
    def closed(self) -> bool:
        return self._closed

    def push(self, packet: bytes) -> None:
        """Take a packet; an empty one and those after `close` are ignored. Never waits."""
        if not packet or self._closed:
            return
        if len(self._pending) == MAX_PENDING:
            self.dropped += 1
            self._unreported += 1
            self._heard += 1
            del self._pending[0]
        self._pending.append(packet)
        self._pushed += 1
        self._wake(self, False)

    def flush(self) -> asyncio.Future[None]:
        """Done when `on_heard` has been told of all that was pushed so far (or the uplink is closed)."""
        done = self._loop.create_future()
        if self._closed or self._heard == self._pushed:
            done.set_result(None)
        else:
            self._flushes.append((self._pushed, done))
            self._wake(self, True)
        return done

    def close(self) -> None:
        """Drop what waits and stop telling. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._pending.clear()
        self._settle_flushes()
        self._wake(self, True)

    def take(self) -> list[bytes]:
        """The next packets to be heard."""
        taken = self._pending[:MAX_PER_HOP]
        del self._pending[:MAX_PER_HOP]
        return taken

    def deliver(self, heard: Heard, packets: int) -> None:
        """Tell what became of `packets` packets. A listener that raises is the loop's business, not the pool's."""
        if self._unreported:
            heard = replace(heard, dropped=self._unreported)
            self._unreported = 0
        self._loop.call_soon(self._tell, heard, packets)

    def _tell(self, heard: Heard, packets: int) -> None:
        if self._closed:
            return
        self._heard += packets
        try:
            self._on_heard(heard)
        finally:
            self._settle_flushes()

    def _settle_flushes(self) -> None:
        waiting = []
        for target, done in self._flushes:
            if not self._closed and target > self._heard:
                waiting.append((target, done))
            elif not done.done():
                done.set_result(None)
        self._flushes = waiting
