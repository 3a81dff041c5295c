"""A realtime model behind a circuit: while it is known not to work it is not even tried, and the turn loses no time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from lumi.engines.base import Duplex, DuplexEvent, Prompt, Speaker, Tools
from lumi.engines.roster import Roster
from lumi.errors import EngineError, Trouble


class GuardedDuplex:
    """The `Duplex` seam over a list of one: what stands in for it are the engines of an ordinary turn."""

    def __init__(self, roster: Roster[Duplex]) -> None:
        self.roster = roster
        self.name = roster.first.name

    @property
    def sample_rate_hz(self) -> int:
        return self.roster.first.sample_rate_hz

    async def start(self) -> None:
        await self.roster.start()

    async def converse(
        self, audio: AsyncIterator[bytes], prompt: Prompt, tools: Tools | None = None
    ) -> AsyncIterator[DuplexEvent]:
        attempt = next(self.roster.attempts())
        if not self.roster.works(attempt.member):
            raise EngineError(self.name, "is left out for now", trouble=Trouble.UNREACHABLE)
        with attempt:
            async with aclosing(attempt.read(attempt.engine.converse(audio, prompt, tools))) as events:
                async for event in events:
                    yield event
        if attempt.error is not None:
            raise attempt.error

    def interrupted(self, speaker: Speaker, heard_ms: float) -> None:
        self.roster.first.interrupted(speaker, heard_ms)

    async def aclose(self) -> None:
        await self.roster.aclose()
