"""The way up, in the pool's thread: packets to sound and speech probabilities.

`hear` takes the packets of many ears and scores their windows together, since one call of a model for many costs a
third of many calls for one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from lumi.audio.format import BYTES_PER_SAMPLE, SPEECH_RATE_HZ, AudioFormat, Codec
from lumi.audio.opus import OpusDecoder
from lumi.audio.resample import Resampler, mix_down
from lumi.errors import CorruptAudio, LumiError


class Vad(Protocol):
    """Scores windows of 16 kHz sound for speech (`lumi.engines.base.Vad`)."""

    window_samples: int

    def open(self) -> int: ...

    def close(self, slot: int) -> None: ...

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]: ...


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of some packets, in order.

    `pcm` is 16 kHz mono. Window n of a stream covers its samples n·512 … n·512+511, so `speech`, one probability per
    window that became whole, may be behind `pcm` by up to a window.
    """

    pcm: bytes
    speech: tuple[float, ...] = ()
    corrupt: int = 0
    """Packets that could not be decoded; their sound in `pcm` is concealed."""
    dropped: int = 0
    """Packets dropped since the last `Heard`, because too many waited."""
    error: LumiError | None = None
    """The voice activity detector failed: `speech` holds zeros."""


class Decoder(Protocol):
    """Packets to 16 kHz mono PCM."""

    def decode(self, packet: bytes) -> bytes: ...

    def conceal(self) -> bytes: ...

    def close(self) -> None: ...


class PcmDecoder:
    """Packets that are PCM already: mixed down and resampled."""

    def __init__(self, audio: AudioFormat) -> None:
        self._channels = audio.channels
        self._resampler = Resampler(audio.sample_rate_hz, SPEECH_RATE_HZ)
        self._silence = bytes(SPEECH_RATE_HZ * audio.frame_ms // 1000 * BYTES_PER_SAMPLE)

    def decode(self, packet: bytes) -> bytes:
        if len(packet) % (BYTES_PER_SAMPLE * self._channels):
            raise CorruptAudio(f"{len(packet)} bytes are no whole number of 16-bit samples")
        return self._resampler.push(mix_down(packet, self._channels))

    def conceal(self) -> bytes:
        return self._silence

    def close(self) -> None:
        self._resampler.reset()


_DECODERS: dict[Codec, Callable[[AudioFormat], Decoder]] = {
    # libopus decodes at any of its rates, so it does the resampling.
    Codec.OPUS: lambda audio: OpusDecoder(replace(audio, sample_rate_hz=SPEECH_RATE_HZ, channels=1)),
    Codec.PCM: PcmDecoder,
}


class Ear:
    """One uplink's decoder, VAD slot and unfinished window. Touched by one thread at a time.

    Decoder (18 KB) and slot are taken when the first packet comes: a connection that says nothing costs nothing.
    """

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._decoder: Decoder | None = None
        self._rest = b""
        self.slot: int | None = None

    def decode(self, packets: Sequence[bytes]) -> tuple[bytes, int]:
        """All packets as PCM, and how many of them had to be concealed."""
        if self._decoder is None:
            self._decoder = _DECODERS[self._audio.codec](self._audio)
        pieces = []
        corrupt = 0
        for packet in packets:
            try:
                pieces.append(self._decoder.decode(packet))
            except CorruptAudio:
                corrupt += 1
                pieces.append(self._decoder.conceal())
        return b"".join(pieces), corrupt

    def windows(self, pcm: bytes, window_bytes: int) -> list[bytes]:
        """The windows that `pcm` completes."""
        data = self._rest + pcm
        whole = len(data) // window_bytes * window_bytes
        self._rest = data[whole:]
        return [data[start : start + window_bytes] for start in range(0, whole, window_bytes)]

    def release(self, vad: Vad) -> None:
        """Give back decoder and slot."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None
        if self.slot is not None:
            vad.close(self.slot)
            self.slot = None


def hear(vad: Vad, work: Sequence[tuple[Ear, Sequence[bytes]]]) -> list[Heard]:
    """Decode the packets of many ears and score all their windows together: one `Heard` for each."""
    decoded = [_decode(ear, packets) for ear, packets in work]
    window_bytes = vad.window_samples * BYTES_PER_SAMPLE
    windows = [ear.windows(heard.pcm, window_bytes) for (ear, _), heard in zip(work, decoded, strict=True)]
    speech: list[list[float]] = [[] for _ in work]
    error: LumiError | None = None
    for turn in range(max(map(len, windows), default=0)):
        rows = [row for row, own in enumerate(windows) if len(own) > turn]
        try:
            scores = _score(vad, [work[row][0] for row in rows], [windows[row][turn] for row in rows])
        except LumiError as failure:
            error, scores = failure, [0.0] * len(rows)
        for row, score in zip(rows, scores, strict=True):
            speech[row].append(score)
    return [
        replace(heard, speech=tuple(own), error=heard.error or (error if own else None))
        for heard, own in zip(decoded, speech, strict=True)
    ]


def _decode(ear: Ear, packets: Sequence[bytes]) -> Heard:
    try:
        pcm, corrupt = ear.decode(packets)
    except LumiError as error:  # no library, or a format nobody can decode: this uplink's trouble alone
        return Heard(b"", corrupt=len(packets), error=error)
    return Heard(pcm, corrupt=corrupt)


def _score(vad: Vad, ears: Sequence[Ear], windows: Sequence[bytes]) -> Sequence[float]:
    slots = []
    for ear in ears:
        if ear.slot is None:
            ear.slot = vad.open()
        slots.append(ear.slot)
    return vad.score(slots, windows)
