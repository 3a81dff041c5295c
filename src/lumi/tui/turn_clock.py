"""How long the last turn's answer took, from the end of the question to the first thing seen or heard of it."""

from __future__ import annotations


class TurnClock:
    """Times in seconds by any one clock."""

    def __init__(self) -> None:
        self.latency_s: float | None = None
        """Of the last turn that was answered."""
        self._asked_at_s: float | None = None

    def asked(self, now_s: float) -> None:
        """A question has ended; a later end of the same question counts instead."""
        self._asked_at_s = now_s

    def answered(self, now_s: float) -> None:
        """Something of an answer is there; only the first piece after a question counts."""
        if self._asked_at_s is not None:
            self.latency_s, self._asked_at_s = now_s - self._asked_at_s, None

    def forget(self) -> None:
        """The question will not be answered."""
        self._asked_at_s = None
