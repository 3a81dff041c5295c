"""Sound and doubles for the tests of this room."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from lumi.audio.format import AudioFormat, Codec
from lumi.audio.opus import OpusEncoder
from lumi.errors import EngineError

OPUS = AudioFormat()
PCM = AudioFormat(Codec.PCM)


def tone(ms: float, rate_hz: int = 16_000, hz: float = 440, loud: int = 8000) -> bytes:
    count = int(ms * rate_hz / 1000)
    return struct.pack(
        f"<{count}h", *(int(loud * math.sin(2 * math.pi * hz * n / rate_hz)) for n in range(count))
    )


def samples(pcm: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(pcm) // 2}h", pcm)


def opus_packets(ms: float, audio: AudioFormat = OPUS) -> list[bytes]:
    encoder = OpusEncoder(audio)
    pcm = tone(ms, audio.sample_rate_hz)
    size = audio.frame_bytes
    return [encoder.encode(pcm[start : start + size]) for start in range(0, len(pcm) - size + 1, size)]


class CountingVad:
    """Scores a window by whether there is any sound in it; notes its calls and what is open."""

    window_samples = 512

    def __init__(self) -> None:
        self.opened = 0
        self.open_slots: set[int] = set()
        self.batches: list[list[int]] = []
        self.broken = False

    def open(self) -> int:
        self.opened += 1
        self.open_slots.add(self.opened)
        return self.opened

    def close(self, slot: int) -> None:
        self.open_slots.remove(slot)

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]:
        assert len(set(slots)) == len(slots), "a slot appears once per call"
        assert set(slots) <= self.open_slots
        assert {len(window) for window in windows} == {1024}
        if self.broken:
            raise EngineError("counting", "broken on purpose")
        self.batches.append(list(slots))
        return [0.9 if any(window) else 0.1 for window in windows]
