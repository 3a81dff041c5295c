"""What the user's microphone is taken for: which sound becomes an utterance, and when it is over.

closed ──open──▶ waiting ──speech──▶ hearing ──end of speech──▶ closed      auto
closed ──open──▶ waiting ──sound───▶ hearing ──stop──────────▶ closed       manual
closed ──open──▶ waiting ──speech──▶ hearing ──end of speech──▶ waiting     realtime
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from lumi.audio.format import SPEECH_RATE_HZ, duration_ms
from lumi.voice.endpointing import WINDOW_MS, Endpointer, EndpointingSettings, SpeechEnded, SpeechStarted
from lumi.voice.utterance import Utterance

MAYBE_SPEECH = 0.3
"""From this probability a window counts towards 'there was speech at all'."""


class Mode(StrEnum):
    """Who decides that an utterance is over."""

    AUTO = "auto"
    """The server, by the silence after it; then the microphone is closed."""
    MANUAL = "manual"
    """The client, by closing it (a button)."""
    REALTIME = "realtime"
    """The server; the microphone stays open, also while the server speaks."""


class State(StrEnum):
    CLOSED = "closed"
    WAITING = "waiting"
    HEARING = "hearing"


class Microphone:
    """One session's microphone. `begun` and `ended` are told of each utterance; they may call back into it."""

    def __init__(
        self,
        settings: EndpointingSettings,
        begun: Callable[[Utterance], None],
        ended: Callable[[Utterance], None],
    ) -> None:
        self._settings = settings
        self._begun = begun
        self._ended = ended
        self._endpointer = Endpointer(settings)
        self._recent: list[bytes] = []  # bounded by `_remember`
        self._recent_ms = 0.0
        self._utterance: Utterance | None = None
        self.mode = Mode.AUTO
        self.state = State.CLOSED
        self.dropped_ms = 0.0
        """Sound that came while nobody listened."""

    def open(self, mode: Mode) -> None:
        """Listen. Open already in the same mode: nothing changes, what is being heard goes on."""
        if self.state is not State.CLOSED and mode is self.mode:
            return
        self.drop()
        self.mode = mode
        self.state = State.WAITING

    def close(self) -> None:
        """The client is done: what was heard so far is the utterance."""
        utterance = self._utterance
        self.state = State.CLOSED
        self._forget()
        if utterance is not None:
            self._finish(utterance)

    def end_of_audio(self) -> None:
        """'No more sound' in a frame: ends an utterance that has begun, otherwise means nothing."""
        if self.state is State.HEARING:
            self.close()

    def drop(self) -> None:
        """Forget what is being heard and stop listening; nobody is told of an end."""
        self.state = State.CLOSED
        self._forget()

    def hear(self, pcm: bytes, speech: Sequence[float]) -> None:
        """Take 16 kHz PCM in, with the speech probabilities of the windows that it completed."""
        if self.state is State.CLOSED:
            self.dropped_ms += duration_ms(pcm, SPEECH_RATE_HZ)
        elif self.mode is Mode.MANUAL:
            self._hear_all(pcm, speech)
        else:
            self._hear_speech(pcm, speech)

    def _hear_all(self, pcm: bytes, speech: Sequence[float]) -> None:
        if self._utterance is None:
            self._begin([])
        self._add(pcm, speech)

    def _hear_speech(self, pcm: bytes, speech: Sequence[float]) -> None:
        if self._utterance is None:
            self._remember(pcm)
        else:
            self._add(pcm, speech)
        for event in self._endpointer.feed(speech):
            if isinstance(event, SpeechStarted) and self._utterance is None:
                pieces, spoken = list(self._recent), self._settings.min_speech_ms
                self._begin(pieces)
                if self._utterance is not None:
                    self._utterance.speech_ms += spoken
            elif isinstance(event, SpeechEnded) and self._utterance is not None:
                self._end_of_speech(self._utterance)
            if self.state is State.CLOSED:
                return

    def _begin(self, pieces: Sequence[bytes]) -> None:
        utterance = Utterance(self._settings.max_utterance_ms)
        for piece in pieces:
            utterance.push(piece)
        self._recent.clear()
        self._recent_ms = 0.0
        self._utterance = utterance
        self.state = State.HEARING
        self._begun(utterance)

    def _add(self, pcm: bytes, speech: Sequence[float]) -> None:
        utterance = self._utterance
        if utterance is None:
            return
        utterance.speech_ms += WINDOW_MS * sum(1 for probability in speech if probability >= MAYBE_SPEECH)
        if not utterance.push(pcm):
            self._end_of_speech(utterance)

    def _end_of_speech(self, utterance: Utterance) -> None:
        self._forget()
        self.state = State.WAITING if self.mode is Mode.REALTIME else State.CLOSED
        self._finish(utterance)

    def _finish(self, utterance: Utterance) -> None:
        utterance.end()
        self._ended(utterance)

    def _forget(self) -> None:
        self._utterance = None
        self._recent.clear()
        self._recent_ms = 0.0
        self._endpointer = Endpointer(self._settings)

    def _remember(self, pcm: bytes) -> None:
        self._recent.append(pcm)
        self._recent_ms += duration_ms(pcm, SPEECH_RATE_HZ)
        keep_ms = self._settings.pre_roll_ms + self._settings.start_within_ms
        while self._recent_ms > keep_ms and len(self._recent) > 1:
            self._recent_ms -= duration_ms(self._recent.pop(0), SPEECH_RATE_HZ)
