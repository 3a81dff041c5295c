"""What a listener would have heard of one answer, from the moments its packets came. Pure.

A packet's schedule begins with the first packet of its answer: packet n is due n frames later.
"""

from __future__ import annotations

LATE_AFTER_S = 0.020
"""A packet is late when it comes more than this after it was due."""

BUFFER_S = 0.060
"""What the listener holds back before it plays: one frame, as small boards do."""


class Playout:
    """Counts one answer's late packets and the stalls of a player that holds back `buffer_s`.

    A stall is a moment in which the player has nothing left to play while the answer goes on. With the next packet
    it fills its buffer again and plays on.

    Args:
        frame_s: length of one packet.
        buffer_s: what the player holds back before it starts.
    """

    __slots__ = (
        "_buffer_s",
        "_first_s",
        "_frame_s",
        "_plays_until_s",
        "late",
        "packets",
        "stalls",
        "worst_s",
    )

    def __init__(self, frame_s: float, *, buffer_s: float = BUFFER_S) -> None:
        self._frame_s = frame_s
        self._buffer_s = buffer_s
        self._first_s = 0.0
        self._plays_until_s = 0.0
        self.packets = 0
        self.late = 0
        self.stalls = 0
        self.worst_s = 0.0

    def packet(self, now_s: float) -> None:
        """A packet came at `now_s`."""
        if self.packets == 0:
            self._first_s = now_s
            self._plays_until_s = now_s + self._buffer_s
        lateness_s = now_s - self._first_s - self.packets * self._frame_s
        self.packets += 1
        self.worst_s = max(self.worst_s, lateness_s)
        if lateness_s > LATE_AFTER_S:
            self.late += 1
        if now_s > self._plays_until_s:
            self.stalls += 1
            self._plays_until_s = now_s + self._buffer_s
        self._plays_until_s += self._frame_s
