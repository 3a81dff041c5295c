"""A recogniser: hears the pitch come and go, letter by letter."""

from __future__ import annotations

import math
import struct
from collections.abc import AsyncIterator

from lumi.engines.base import Speaker, Transcript
from lumi_morse.code import LETTERS, PITCH_HZ, UNIT_S

RATE_HZ = 16_000
HOP, WINDOW = 80, 160
"""Samples: it looks every 5 ms at the last 10."""
FAINT = 200
PURE = 0.4
"""From this part of the energy at the pitch, it is our tone and not noise."""
UNIT = UNIT_S * RATE_HZ / HOP
"""Of a dot, in looks."""


class MorseStt:
    """The `Stt` seam; a letter that is complete is told at once."""

    name = "morse"
    languages = ("en",)

    async def transcribe(
        self,
        audio: AsyncIterator[bytes],
        speaker: Speaker,  # noqa: ARG002 - the code is the same for everybody
    ) -> AsyncIterator[Transcript]:
        """Partials have no confidence; the final one is sure of what it could read."""
        key = Key()
        told = ""
        async for piece in audio:
            key.hear(piece)
            if key.text != told:
                told = key.text
                yield Transcript(told, 0.0, is_final=False, language="en")
        key.hear(bytes(2 * RATE_HZ // 2))  # what was keyed last is complete
        yield Transcript(key.text.strip(), key.confidence, language="en")

    async def aclose(self) -> None:
        """Nothing is held."""


class Key:
    """One utterance: from sound to marks to letters."""

    def __init__(self) -> None:
        self.text = ""
        self._pcm = b""
        self._marks = ""
        self._on = False
        self._lasted = 0
        self._unread = 0

    @property
    def confidence(self) -> float:
        """The part of what was keyed that could be read."""
        read = len(self.text.replace(" ", ""))
        return read / (read + self._unread) if read else 0.0

    def hear(self, pcm: bytes) -> None:
        self._pcm += pcm
        while len(self._pcm) >= 2 * WINDOW:
            self._look(is_tone(struct.unpack_from(f"<{WINDOW}h", self._pcm)))
            self._pcm = self._pcm[2 * HOP :]

    def _look(self, on: bool) -> None:  # noqa: FBT001 - the key is down, or not
        if on == self._on:
            self._lasted += 1
            self._pause()
            return
        if self._on and self._lasted > UNIT / 2:
            self._marks += "." if self._lasted < 2 * UNIT else "-"
        self._on, self._lasted = on, 1

    def _pause(self) -> None:
        """After two units of silence the letter is complete; after five, the word."""
        if self._on:
            return
        if self._lasted > 2 * UNIT and self._marks:
            letter = LETTERS.get(self._marks, "")
            self.text += letter
            self._unread += not letter
            self._marks = ""
        if self._lasted > 5 * UNIT and self.text and not self.text.endswith(" "):
            self.text += " "


def is_tone(samples: tuple[int, ...]) -> bool:
    """Whether most of the energy is at the pitch (Goertzel's way to look at one frequency)."""
    energy = sum(sample * sample for sample in samples)
    if energy < FAINT * FAINT * len(samples):
        return False
    turn = 2 * math.cos(2 * math.pi * PITCH_HZ / RATE_HZ)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    at_pitch = last * last + before * before - turn * last * before
    return at_pitch > PURE * energy * len(samples) / 2
