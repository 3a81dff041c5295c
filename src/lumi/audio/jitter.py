"""Smooths what arrives in fits into what a loudspeaker takes at an even pace. Pure: the caller's clock is the pace.

filling ──enough waits, or the speech is complete──▶ playing ──ran dry──▶ filling

After the line stood still, what was late comes all at once. Nothing of it is lost while it plays within `max_ms`; the
delay that this costs is won back by shortening pauses. What goes beyond `max_ms` is dropped, oldest first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DEFAULT_START_MS: Final = 120.0
"""Waiting before playing: what the server sends ahead of real time."""

DEFAULT_MAX_MS: Final = 2_500.0
"""The delay's bound: of more waiting than this, the oldest is dropped. A line that stands still for 2 s loses nothing."""


def never_silent(_packet: bytes) -> bool:
    """Where packets cannot be listened to: no pause is shortened."""
    return False


class Filling(StrEnum):
    FILLING = "filling"
    PLAYING = "playing"


@dataclass(slots=True)
class JitterStats:
    """What went wrong so far."""

    underruns: int = 0
    """Times the loudspeaker ran dry in the middle of speech."""
    dropped: int = 0
    """Packets dropped because too much waited."""
    skipped: int = 0
    """Silent packets left out to catch up."""
    stale: int = 0
    """Packets of a speech that was over already."""


class JitterBuffer:
    """Packets of one speech (a generation) at a time; packets of an earlier one are dropped wherever they turn up.

    Args:
        frame_ms: length of a packet.
        start_ms: how much must wait before playing begins.
        max_ms: bound of what waits: delay never grows beyond it.
        settle_ms: while more than this waits, pauses are shortened to one packet; `start_ms` if not given.
        is_silent: whether a packet belongs to a pause.
    """

    def __init__(
        self,
        frame_ms: float,
        *,
        start_ms: float = DEFAULT_START_MS,
        max_ms: float = DEFAULT_MAX_MS,
        settle_ms: float | None = None,
        is_silent: Callable[[bytes], bool] = never_silent,
    ) -> None:
        self.stats = JitterStats()
        self.state = Filling.FILLING
        self._frame_ms = frame_ms
        self._start_packets = max(1, round(start_ms / frame_ms))
        self._max_packets = max(self._start_packets, round(max_ms / frame_ms))
        self._settle_packets = self._start_packets if settle_ms is None else round(settle_ms / frame_ms)
        self._is_silent = is_silent
        self._in_pause = False
        self._passed = 0
        self._waiting: deque[bytes] = deque()  # bounded by max_ms: oldest dropped
        self._generation = 0
        self._complete = False
        self._ran_dry = False

    @property
    def waiting_ms(self) -> float:
        """How long what waits will play."""
        return len(self._waiting) * self._frame_ms

    @property
    def passed_ms(self) -> float:
        """How far into the speech it has got: what was taken, dropped or skipped."""
        return self._passed * self._frame_ms

    @property
    def finished(self) -> bool:
        """Everything of a complete speech has been taken."""
        return self._complete and not self._waiting

    def start(self, generation: int) -> None:
        """A new speech begins, with a number above the last one's: what still waits of the old one is dropped."""
        if generation > self._generation:
            self.stats.stale += len(self._waiting)
            self._waiting.clear()
            self._generation = generation
            self._complete = False
            self._in_pause = self._ran_dry = False
            self._passed = 0
            self.state = Filling.FILLING

    def push(self, generation: int, packet: bytes) -> bool:
        """Take a packet; false if its speech is over. One of a newer generation starts that."""
        if generation < self._generation or (generation == self._generation and self._complete):
            self.stats.stale += 1
            return False
        self.start(generation)
        if self._ran_dry:  # only now is it known that it was not the end
            self._ran_dry = False
            self.stats.underruns += 1
        self._waiting.append(packet)
        if len(self._waiting) > self._max_packets:
            self._take()
            self.stats.dropped += 1
        return True

    def complete(self, generation: int) -> None:
        """No more of this speech will come: what waits is played, however little it is."""
        if generation == self._generation:
            self._complete = True

    def pop(self) -> bytes | None:
        """The next packet to play, once per `frame_ms`; None: play silence."""
        if self.state is Filling.FILLING:
            if not self._complete and len(self._waiting) < self._start_packets:
                return None
            self.state = Filling.PLAYING
        if self._waiting:
            return self._next()
        self.state = Filling.FILLING
        self._ran_dry = True
        return None

    def _next(self) -> bytes:
        """The next packet; of a pause only the first, while there is a delay to win back."""
        packet = self._take()
        while len(self._waiting) >= self._settle_packets > 0 and self._is_silent(packet):
            if not self._in_pause:
                self._in_pause = True
                return packet
            self.stats.skipped += 1
            packet = self._take()
        self._in_pause = False
        return packet

    def _take(self) -> bytes:
        self._passed += 1
        return self._waiting.popleft()
