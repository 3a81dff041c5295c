"""Voices in a list: when one fails, the next speaks the sentence, from its beginning."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from lumi.audio.resample import Resampler
from lumi.engines.base import RESTART, Tts, Voice
from lumi.engines.roster import Attempt, Roster
from lumi.errors import EngineError


class FallbackTts:
    """The `Tts` seam over a list of voices.

    All speech has the first voice's rate. When a voice breaks off in the middle of a sentence, an empty piece
    (`RESTART`) says that what came of it is to be dropped; then the next voice speaks the whole sentence.
    """

    def __init__(self, roster: Roster[Tts]) -> None:
        self.roster = roster
        self.name = roster.first.name
        self.stand_ins = 0
        """Sentences so far that another than the first voice has begun: they do not sound like the first one's."""

    @property
    def sample_rate_hz(self) -> int:
        return self.roster.first.sample_rate_hz

    @property
    def voice_names(self) -> tuple[str, ...]:
        """The first one's."""
        return tuple(getattr(self.roster.first, "voice_names", ()))

    async def start(self) -> None:
        await self.roster.start()

    async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        problem: EngineError | None = None
        for attempt in self.roster.attempts():
            if attempt.engine is not self.roster.first:
                self.stand_ins += 1
            with attempt:
                async with aclosing(self._spoken_by(attempt, text, voice)) as pieces:
                    async for pcm in pieces:
                        yield pcm
                return
            problem = problem or attempt.error
            if attempt.patience.items and not attempt.alone:
                yield RESTART
        if problem is not None:
            raise problem

    async def _spoken_by(self, attempt: Attempt[Tts], text: str, voice: Voice) -> AsyncGenerator[bytes, None]:
        resampler: Resampler | None = None
        async with aclosing(attempt.read(attempt.engine.synthesize(text, voice))) as pieces:
            async for pcm in pieces:
                if resampler is None:  # some engines know their rate only when they speak
                    resampler = Resampler(attempt.engine.sample_rate_hz, self.sample_rate_hz)
                if piece := resampler.push(pcm):
                    yield piece
        if resampler is not None and (rest := resampler.push(b"", last=True)):
            yield rest

    async def aclose(self) -> None:
        await self.roster.aclose()
