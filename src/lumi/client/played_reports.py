"""When to tell the server how much of a turn was heard. Pure: time and position are handed in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

REPORT_EVERY_S = 0.3
"""The protocol wants 200 to 500 ms."""

MAX_DUE = 16
"""Reports that may wait for the line; the oldest is dropped: the newest says all."""


@dataclass(frozen=True, slots=True)
class PlayedReport:
    """The arguments of `Client.played`."""

    turn_id: str
    ms: float
    final: bool = False


class PlayedReports:
    """Reports of one turn at a time, each with a position above the last; the final one exactly once.

    `due` holds what is to be sent. A turn without an id is not reported: the server would not know it.
    """

    def __init__(self, every_s: float = REPORT_EVERY_S) -> None:
        self.due: deque[PlayedReport] = deque(maxlen=MAX_DUE)
        self._every_s = every_s
        self._turn_id: str | None = None
        self._told_ms = 0.0
        self._next_s: float | None = None

    def begin(self, turn_id: str | None) -> None:
        """A turn starts."""
        self._turn_id = turn_id
        self._told_ms = 0.0
        self._next_s = None

    def heard(self, ms: float, now_s: float, *, dry: bool = False) -> None:
        """So much was heard. `dry`: all that came so far, which is told at once: it may be the end."""
        if self._turn_id is None or ms <= self._told_ms:
            return
        if self._next_s is None:  # it begins to be heard
            self._next_s = now_s + self._every_s
        if now_s < self._next_s and not dry:
            return
        self._told_ms = ms
        self._next_s = now_s + self._every_s
        self.due.append(PlayedReport(self._turn_id, round(ms, 1)))

    def end(self, ms: float) -> None:
        """No more of this turn will be heard."""
        if self._turn_id is not None:
            self.due.append(PlayedReport(self._turn_id, round(max(ms, self._told_ms), 1), final=True))
            self._turn_id = None
