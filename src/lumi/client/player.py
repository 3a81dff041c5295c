"""What the server says, played in order: one turn at a time, silent at once when it is cut off."""

from __future__ import annotations

from typing import Protocol

from lumi.client.events import Audio, Event
from lumi.client.resampling import Resampler
from lumi.protocol.messages import Tts, TtsState


class Sink(Protocol):
    """Where sound goes: a `Speaker`, or a `Recording`."""

    rate_hz: int

    @property
    def waiting_ms(self) -> float: ...

    def write(self, pcm: bytes) -> None: ...

    def clear(self) -> None: ...


class Recording:
    """A sink that keeps everything it is given; nothing ever waits in it."""

    def __init__(self, rate_hz: int = 16_000) -> None:
        self.rate_hz = rate_hz
        self.waiting_ms = 0.0
        self._pcm = bytearray()

    @property
    def pcm(self) -> bytes:
        return bytes(self._pcm)

    def write(self, pcm: bytes) -> None:
        self._pcm += pcm

    def clear(self) -> None:
        """What was heard was heard."""


class Player:
    """Feeds a sink from a client's events, turn by turn.

    A turn begins with `tts start`; what belongs to an earlier one is dropped from then on, and sound after `cut()`
    until the next start. `heard_ms` says how much of the present turn has really been played.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.turn_id: str | None = None
        self.speaking = False
        self.stale = 0
        self._written_ms = 0.0
        self._cut = False
        self._resampler: Resampler | None = None

    @property
    def heard_ms(self) -> float:
        return max(0.0, self._written_ms - self._sink.waiting_ms)

    def feed(self, event: Event) -> None:
        """Take one event of the client; those that are no speech are passed by."""
        if isinstance(event, Tts):
            self._on_tts(event)
        elif isinstance(event, Audio):
            self._on_audio(event)

    def cut(self) -> float:
        """Fall silent now (the user interrupts); returns the milliseconds of the turn that were heard."""
        heard = self.heard_ms
        self._sink.clear()
        self._written_ms = heard
        self._cut = True
        return heard

    def _on_tts(self, tts: Tts) -> None:
        if tts.state is TtsState.START:
            self._sink.clear()
            self.turn_id = tts.turn_id if isinstance(tts.turn_id, str) else None
            self._written_ms, self._cut, self.speaking = 0.0, False, True
        elif tts.state is TtsState.STOP:
            self.speaking = False

    def _on_audio(self, audio: Audio) -> None:
        if self._cut or audio.turn_id != self.turn_id:
            self.stale += 1
            return
        if self._resampler is None or self._resampler.from_hz != audio.rate_hz:
            self._resampler = Resampler(audio.rate_hz, self._sink.rate_hz)
        self._sink.write(self._resampler.feed(audio.pcm))
        self._written_ms += audio.duration_ms
