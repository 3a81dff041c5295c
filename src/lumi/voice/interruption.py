"""Decides what sound during an answer means: nothing, a reason to wait, or the listener's wish to speak. Pure.

The answer falls silent after a moment of speech, so that an interruption feels immediate, and is only given up when the
speech goes on: a cough or an 'uh-huh' makes it pause and resume.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WINDOW_MS: Final = 32.0
"""512 samples at 16 kHz."""


@dataclass(frozen=True, slots=True)
class InterruptionSettings:
    """When to fall silent, when to give up, when to go on."""

    threshold: float = 0.6
    """Speech probability of a voiced window; above that of an utterance in silence, for the answer's own echo."""
    pause_after_ms: float = 128.0
    """Voiced sound after which the answer pauses."""
    interrupt_after_ms: float = 320.0
    """Voiced sound after which it is given up: longer than a cough or an 'uh-huh' (300 ms)."""
    forget_after_ms: float = 192.0
    """Pause after which what was voiced counts no more, and a paused answer resumes."""


class Verdict(StrEnum):
    PAUSE = "pause"
    """Hold the answer back: somebody may be speaking."""
    RESUME = "resume"
    """It was nothing: go on where it paused."""
    INTERRUPT = "interrupt"
    """The listener speaks: the answer is over. Comes once."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, where it was reached, and where the sound that led to it began (both ms of sound)."""

    verdict: Verdict
    at_ms: float
    start_ms: float


class InterruptionDetector:
    """Follows the windows heard while one answer is spoken; make a new one for the next answer.

    Args:
        position_ms: where in the stream of sound the answer begins to be spoken.
    """

    def __init__(self, settings: InterruptionSettings | None = None, *, position_ms: float = 0.0) -> None:
        self._settings = settings or InterruptionSettings()
        self._position_ms = position_ms
        self._start_ms = position_ms
        self._voiced_ms = 0.0
        self._silent_ms = 0.0
        self._last: Verdict | None = None

    @property
    def paused(self) -> bool:
        """The answer is being held back."""
        return self._last is Verdict.PAUSE

    def feed(self, speech: Sequence[float]) -> list[Decision]:
        """Take the next windows' probabilities; the decisions reached in them, in order."""
        return [decision for probability in speech if (decision := self._step(probability)) is not None]

    def _step(self, probability: float) -> Decision | None:
        self._position_ms += WINDOW_MS
        if self._last is Verdict.INTERRUPT:
            return None
        if probability >= self._settings.threshold:
            return self._voice()
        return self._silence()

    def _voice(self) -> Decision | None:
        if self._voiced_ms == 0:
            self._start_ms = self._position_ms - WINDOW_MS
        self._voiced_ms += WINDOW_MS
        self._silent_ms = 0.0
        if self._voiced_ms >= self._settings.interrupt_after_ms:
            return self._decide(Verdict.INTERRUPT)
        if self._voiced_ms >= self._settings.pause_after_ms and not self.paused:
            return self._decide(Verdict.PAUSE)
        return None

    def _silence(self) -> Decision | None:
        self._silent_ms += WINDOW_MS
        if self._voiced_ms == 0 or self._silent_ms < self._settings.forget_after_ms:
            return None
        self._voiced_ms = 0.0
        return self._decide(Verdict.RESUME) if self.paused else None

    def _decide(self, verdict: Verdict) -> Decision:
        self._last = verdict
        return Decision(verdict, self._position_ms, self._start_ms)
