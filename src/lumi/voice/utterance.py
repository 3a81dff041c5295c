"""One stretch of the user's speech, on its way from the microphone to the recogniser."""

from __future__ import annotations

import asyncio
from collections import deque

from lumi.audio.format import SPEECH_RATE_HZ, duration_ms


class Utterance:
    """A single-reader stream of 16 kHz PCM pieces.

    Bounded by `longest_ms`: a recogniser that lags may find all of it waiting, and what comes beyond is not taken.
    """

    def __init__(self, longest_ms: float) -> None:
        self._pieces: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self._longest_ms = longest_ms
        self._ended_at: float | None = None
        self.length_ms = 0.0
        self.speech_ms = 0.0
        """How much of it is speech, as far as voice activity detection could tell."""

    @property
    def ended_at(self) -> float | None:
        """Loop time at which the speaker was found to have finished; None while it goes on."""
        return self._ended_at

    def push(self, pcm: bytes) -> bool:
        """Add a piece. False when the utterance is as long as it may be."""
        if self._ended_at is None:
            self.length_ms += duration_ms(pcm, SPEECH_RATE_HZ)
            self._pieces.append(pcm)
            self._changed.set()
        return self.length_ms < self._longest_ms

    def end(self) -> None:
        """No more will come. Safe to call again."""
        if self._ended_at is None:
            self._ended_at = asyncio.get_running_loop().time()
            self._changed.set()

    def __aiter__(self) -> Utterance:
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._ended_at is not None:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._pieces.popleft()
