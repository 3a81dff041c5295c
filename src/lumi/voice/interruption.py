"""Decides what sound during an answer means: nothing, a reason to wait, or the listener's wish to speak. Pure.

After a moment of speech the answer should be held back, so that an interruption is felt at once; it is given up only
when the speech goes on: a cough or an 'uh-huh' makes it pause and go on.
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
    """When to hold the answer back, when to give it up, when to go on."""

    threshold: float = 0.6
    """Speech probability of a voiced window; above that of an utterance in silence, for the answer's own echo."""
    hold_after_ms: float = 128.0
    """Voiced sound after which the answer is held back."""
    interrupt_after_ms: float = 320.0
    """Voiced sound after which it is given up: longer than a cough or an 'uh-huh' (300 ms)."""
    forget_after_ms: float = 192.0
    """Pause after which what was voiced counts no more, and an answer held back goes on."""


class Suspicion(StrEnum):
    NONE = "none"
    """Nobody speaks: the answer goes on."""
    HOLD = "hold"
    """Somebody may be speaking: hold the answer back."""
    CERTAIN = "certain"
    """The listener speaks: the answer is over."""


class Interruption:
    """Follows the windows heard while one answer is spoken; the next answer takes a new one."""

    def __init__(self, settings: InterruptionSettings | None = None) -> None:
        self._settings = settings or InterruptionSettings()
        self._voiced_ms = 0.0
        self._silent_ms = 0.0
        self.suspicion = Suspicion.NONE
        """After `feed`: what to do with the answer."""

    def feed(self, speech: Sequence[float]) -> bool:
        """Take the next windows' probabilities; true from when the answer is interrupted for good."""
        for probability in speech:
            self._step(probability)
        return self.suspicion is Suspicion.CERTAIN

    def _step(self, probability: float) -> None:
        settings = self._settings
        if self.suspicion is Suspicion.CERTAIN:
            return
        if probability < settings.threshold:
            self._silent_ms += WINDOW_MS
            if self._silent_ms >= settings.forget_after_ms:
                self._voiced_ms = 0.0
                self.suspicion = Suspicion.NONE
            return
        self._voiced_ms += WINDOW_MS
        self._silent_ms = 0.0
        if self._voiced_ms >= settings.interrupt_after_ms:
            self.suspicion = Suspicion.CERTAIN
        elif self._voiced_ms >= settings.hold_after_ms:
            self.suspicion = Suspicion.HOLD
