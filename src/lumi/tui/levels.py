"""How loud sound is, for a meter that the eye can follow."""

from __future__ import annotations

import sys
from array import array
from math import log10

FULL_SCALE = 32768.0
FLOOR_DB = -60.0
"""Where the meter begins; a quiet room lies about there."""

FALL_PER_S = 1.5
"""How fast the needle falls back, in full scales per second; it rises at once."""


def level(pcm: bytes) -> float:
    """Loudness of s16le mono PCM (root mean square) from 0, at -60 dB of full scale or below, to 1, full scale."""
    samples = array("h", pcm[: len(pcm) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    if not samples:
        return 0.0
    power = sum(sample * sample for sample in samples) / len(samples)
    if not power:
        return 0.0
    decibels = 10 * log10(power / FULL_SCALE**2)
    return min(1.0, max(0.0, 1 - decibels / FLOOR_DB))


class LevelMeter:
    """A needle that jumps up with the sound and sinks when it ends. Times in seconds."""

    def __init__(self) -> None:
        self._peak = 0.0
        self._at_s = 0.0

    def heard(self, pcm: bytes, now_s: float) -> None:
        self._peak, self._at_s = max(level(pcm), self.value(now_s)), now_s

    def value(self, now_s: float) -> float:
        """Where the needle stands, 0 to 1."""
        return max(0.0, self._peak - (now_s - self._at_s) * FALL_PER_S)
