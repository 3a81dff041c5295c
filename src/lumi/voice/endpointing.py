"""Finds where speech begins and ends, from one probability per 32 ms window. Pure: positions are ms of sound.

A state and two thresholds: above `start_threshold` a window is voiced, below `stop_threshold` it is not, and between
them it stays what the one before was. Speech begins when enough windows in a short stretch are voiced, and ends after
`silence_ms` without any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WINDOW_MS: Final = 32.0
"""512 samples at 16 kHz."""


@dataclass(frozen=True, slots=True)
class EndpointingSettings:
    """What counts as speech, and as its end."""

    start_threshold: float = 0.5
    stop_threshold: float = 0.35
    min_speech_ms: float = 96.0
    """Voiced sound needed to begin; a click has less."""
    start_within_ms: float = 256.0
    """… within this much sound, so that a voice that breaks off for a moment still counts."""
    silence_ms: float = 700.0
    """Pause that ends an utterance."""
    pre_roll_ms: float = 300.0
    """Sound to keep from before speech was noticed: soft first consonants."""
    max_utterance_ms: float = 30_000.0
    """An utterance longer than this is ended here."""


class EndReason(StrEnum):
    SILENCE = "silence"
    TOO_LONG = "too_long"
    FINISHED = "finished"
    """The caller said so."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech was noticed at `at_ms`; the sound from `keep_from_ms` on belongs to it."""

    at_ms: float
    start_ms: float
    """Where the first voiced window begins."""
    keep_from_ms: float


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The utterance that began at `start_ms` was found over at `at_ms`."""

    at_ms: float
    start_ms: float
    end_ms: float
    """Where its last voiced window ends."""
    reason: EndReason


SpeechEvent = SpeechStarted | SpeechEnded


class Endpointer:
    """Follows one stream of windows; the first begins at 0 ms."""

    def __init__(self, settings: EndpointingSettings | None = None) -> None:
        self._settings = settings or EndpointingSettings()
        self._windows = 0
        self._voiced = False
        self._floor_ms = 0.0
        self._most_recent = max(1, round(self._settings.start_within_ms / WINDOW_MS))
        self._recent: list[bool] = []  # bounded by `_maybe_start`: older windows are of no interest
        self._start_ms: float | None = None
        self._end_ms = 0.0

    @property
    def position_ms(self) -> float:
        """How much sound has been seen."""
        return self._windows * WINDOW_MS

    @property
    def speaking(self) -> bool:
        """Between `SpeechStarted` and `SpeechEnded`."""
        return self._start_ms is not None

    @property
    def silent_ms(self) -> float:
        """How long the pause has lasted within an utterance; 0 outside one."""
        return self.position_ms - self._end_ms if self.speaking else 0.0

    def feed(self, speech: Sequence[float]) -> list[SpeechEvent]:
        """Take the next windows' probabilities; say what begins and ends in them, in order."""
        return [event for probability in speech if (event := self._step(probability)) is not None]

    def finish(self) -> list[SpeechEvent]:
        """The stream stops here (`listen stop`): ends an utterance that has begun."""
        return [self._end(EndReason.FINISHED)] if self.speaking else []

    def reset(self) -> None:
        """Listen for a new utterance from here on; what was heard before belongs to none."""
        self._start_ms = None
        self._voiced = False
        self._recent.clear()
        self._floor_ms = self.position_ms

    def _step(self, probability: float) -> SpeechEvent | None:
        self._windows += 1
        settings = self._settings
        threshold = settings.stop_threshold if self._voiced else settings.start_threshold
        self._voiced = probability >= threshold
        if self._start_ms is None:
            return self._maybe_start()
        if self._voiced:
            self._end_ms = self.position_ms
        if self.position_ms - self._start_ms >= settings.max_utterance_ms:
            return self._end(EndReason.TOO_LONG)
        if self.position_ms - self._end_ms >= settings.silence_ms:
            return self._end(EndReason.SILENCE)
        return None

    def _maybe_start(self) -> SpeechStarted | None:
        self._recent.append(self._voiced)
        del self._recent[: -self._most_recent]
        if not self._voiced or sum(self._recent) * WINDOW_MS < self._settings.min_speech_ms:
            return None
        first = len(self._recent) - self._recent.index(True)
        self._start_ms = self.position_ms - first * WINDOW_MS
        self._end_ms = self.position_ms
        keep_from_ms = max(self._floor_ms, self._start_ms - self._settings.pre_roll_ms)
        return SpeechStarted(self.position_ms, self._start_ms, keep_from_ms)

    def _end(self, reason: EndReason) -> SpeechEnded:
        start_ms = self._start_ms if self._start_ms is not None else self.position_ms
        ended = SpeechEnded(self.position_ms, start_ms, self._end_ms, reason)
        self.reset()
        # What follows a long utterance at once may still be its words: only what was used up is out of reach.
        self._floor_ms = self._end_ms if reason is EndReason.SILENCE else self.position_ms
        return ended
