"""Engines that answer at once, so that what is measured is Lumi and not the voice or the model behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import count

from lumi.engines.base import LlmEvent, Prompt, Speaker, TextDelta, Transcript, Voice

SENTENCES = (
    "This is answer {number}, and nobody has heard it before.",
    "Its second sentence follows the first without a pause, for answer {number}.",
    "And here is the last of the three, which ends answer {number}.",
)


class InstantStt:
    """Understands whatever was said, the moment it has been said."""

    name = "instant"

    async def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        del speaker
        async for _ in audio:
            pass
        yield Transcript("tell me something new", 1.0)

    async def aclose(self) -> None:
        """Nothing to give back."""


class ThreeSentencesLlm:
    """Answers in three sentences, at once.

    Args:
        fresh: every answer's sentences are new; else they are always the same three.
    """

    name = "three-sentences"

    def __init__(self, *, fresh: bool) -> None:
        self._numbers = count(1)
        self._fresh = fresh

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        del prompt
        number = next(self._numbers) if self._fresh else 0
        yield TextDelta(" ".join(SENTENCES).format(number=number))

    async def aclose(self) -> None:
        """Nothing to give back."""


class RecordedTts:
    """Speaks any sentence at once, by playing what was recorded for it: one recording after the other, in turn.

    Args:
        recordings: PCM of one sentence each.
        sample_rate_hz: their rate.
    """

    name = "recorded"

    def __init__(self, recordings: Sequence[bytes], sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._recordings = recordings
        self._spoken = count()

    async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        del text, voice
        yield self._recordings[next(self._spoken) % len(self._recordings)]

    async def aclose(self) -> None:
        """Nothing to give back."""
