"""A voice: letters and digits become dots and dashes."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import AsyncIterator, Iterator

from lumi.engines.base import Voice
from lumi_morse.code import MORSE, PITCH_HZ, UNIT_S

LOUDNESS = 12_000


class MorseTts:
    """The `Tts` seam. `pitch_hz` is its one setting: `[tts.options]` in the settings file."""

    name = "morse"
    sample_rate_hz = 16_000
    languages = ("en",)

    def __init__(self, pitch_hz: int = PITCH_HZ) -> None:
        self._pitch_hz = pitch_hz

    async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        """One piece for each letter. Text without letters or digits yields nothing."""
        unit_s = UNIT_S / voice.speed
        marks = {".": self._tone(unit_s), "-": self._tone(3 * unit_s)}
        gap = self._silence(unit_s)
        for letter in _letters(text):
            if letter == " ":
                yield self._silence(4 * unit_s)
            else:
                yield b"".join(marks[mark] + gap for mark in MORSE[letter]) + gap * 2
            await asyncio.sleep(0)  # others speak too

    async def aclose(self) -> None:
        """Nothing is held."""

    def _tone(self, seconds: float) -> bytes:
        turn = 2 * math.pi * self._pitch_hz / self.sample_rate_hz
        samples = [int(LOUDNESS * math.sin(turn * i)) for i in range(int(seconds * self.sample_rate_hz))]
        return struct.pack(f"<{len(samples)}h", *samples)

    def _silence(self, seconds: float) -> bytes:
        return bytes(2 * int(seconds * self.sample_rate_hz))


def _letters(text: str) -> Iterator[str]:
    """What can be keyed, words parted by one space."""
    known = "".join(c if c in MORSE else " " for c in text.lower())
    yield from " ".join(known.split())
