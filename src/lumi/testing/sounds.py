"""Sounds for tests: made, not recorded. PCM as everywhere in Lumi: s16le mono `bytes`."""

from __future__ import annotations

import math
import struct
from functools import lru_cache

from lumi.audio.format import SPEECH_RATE_HZ


def tone(ms: float, rate_hz: int = SPEECH_RATE_HZ, pitch_hz: float = 440.0, amplitude: int = 8_000) -> bytes:
    """PCM of a plain tone: speech to an energy-based VAD, and easy to find again in what was received."""
    size = 2 * round(ms * rate_hz / 1000)
    second = _second(rate_hz, pitch_hz, amplitude)
    return (second * (size // len(second) + 1))[:size]


def silence(ms: float, rate_hz: int = SPEECH_RATE_HZ) -> bytes:
    """PCM of digital silence."""
    return bytes(2 * round(ms * rate_hz / 1000))


def loudness(pcm: bytes) -> float:
    """Root mean square of PCM; 0.0 for none at all."""
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples)) if samples else 0.0


def peak(pcm: bytes) -> int:
    """The loudest sample, 0 … 32768; 0 for none at all."""
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    return max(map(abs, samples), default=0)


@lru_cache(maxsize=16)
def _second(rate_hz: int, pitch_hz: float, amplitude: int) -> bytes:
    step = 2 * math.pi * pitch_hz / rate_hz
    samples = [round(amplitude * math.sin(step * n)) for n in range(rate_hz)]
    return struct.pack(f"<{rate_hz}h", *samples)
