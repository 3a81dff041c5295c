"""What every engine that does whole turns must do: subclass with a `make` and an utterance, and run as tests."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, cast

from lumi.audio.format import duration_ms
from lumi.engines.base import ChatMessage, Prompt, Speaker, SpokenPiece, TextDelta, ToolNote, Transcript
from lumi.errors import EngineError
from lumi.testing.conformance import PIECE_BYTES, noise, pieces
from lumi.testing.sounds import tone

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from lumi.engines.base import Duplex, DuplexEvent

LONG_S = 60.0


def spoken_ms(events: list[DuplexEvent], rate_hz: int) -> float:
    """How long the answer lasts."""
    return sum(duration_ms(event.pcm, rate_hz) for event in events if isinstance(event, SpokenPiece))


class Dropped(Exception):
    """The utterance is no utterance after all."""


class DuplexConformance:
    """Needs `make`; `utterance` is 16 kHz PCM that gets an answer."""

    def make(self) -> Duplex:
        raise NotImplementedError

    def utterance(self) -> bytes:
        return tone(600)

    @asynccontextmanager
    async def duplex(self) -> AsyncIterator[Duplex]:
        engine = self.make()
        try:
            yield engine
        finally:
            await engine.aclose()

    async def said(
        self, duplex: Duplex, pcm: bytes, *before: ChatMessage, session: str = "s", size: int = PIECE_BYTES
    ) -> list[DuplexEvent]:
        prompt = Prompt(before, Speaker(device_id="d", session_id=session))
        return [event async for event in duplex.converse(pieces(pcm, size), prompt)]

    async def answers(self, duplex: Duplex, session: str = "s") -> bool:
        events = await self.said(duplex, self.utterance(), session=session)
        return spoken_ms(events, duplex.sample_rate_hz) > 0

    async def test_answers_aloud_and_in_words(self) -> None:
        async with self.duplex() as duplex:
            events = await self.said(duplex, self.utterance())
            assert spoken_ms(events, duplex.sample_rate_hz) > 0
            text = "".join(event.text for event in events if isinstance(event, TextDelta))
            assert any(character.isalnum() for character in text)
            assert all(len(event.pcm) % 2 == 0 for event in events if isinstance(event, SpokenPiece))
            assert sum(isinstance(event, Transcript) and event.is_final for event in events) <= 1
            assert not any(isinstance(event, ToolNote) for event in events), "it was given no tools"

    async def test_uneven_pieces_make_no_difference(self) -> None:
        async with self.duplex() as duplex:
            pcm, rate_hz = self.utterance(), duplex.sample_rate_hz
            for number, size in enumerate((334, 1_002, len(pcm))):
                events = await self.said(duplex, pcm, session=str(number), size=size)
                assert spoken_ms(events, rate_hz) > 0

    async def test_takes_a_long_dialogue_and_a_long_utterance(self) -> None:
        before = [ChatMessage("user" if n % 2 == 0 else "assistant", f"line {n}") for n in range(40)]
        async with self.duplex() as duplex:
            pcm = noise(LONG_S, loudness=3_000) + self.utterance()
            events = await self.said(duplex, pcm, ChatMessage("system", "Be brief."), *before)
            assert spoken_ms(events, duplex.sample_rate_hz) > 0

    async def test_many_sessions_at_once_are_answered_each(self) -> None:
        async with self.duplex() as duplex:
            assert all(await asyncio.gather(*(self.answers(duplex, f"s{n}") for n in range(6))))

    async def test_turns_of_a_session_follow_each_other(self) -> None:
        async with self.duplex() as duplex:
            assert [await self.answers(duplex) for _ in range(3)] == [True] * 3

    async def test_silence_and_nothing_end_and_leave_no_trace(self) -> None:
        async with self.duplex() as duplex:
            for pcm in (b"", b"\x00\x00", bytes(320), bytes(32_000)):
                with suppress(EngineError):  # it may refuse what is no utterance
                    await self.said(duplex, pcm)
            assert await self.answers(duplex)

    async def test_what_reading_the_sound_raises_is_passed_on(self) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield self.utterance()[:PIECE_BYTES]
            raise Dropped

        async with self.duplex() as duplex:
            try:
                async for _ in duplex.converse(broken(), Prompt((), Speaker(session_id="s"))):
                    pass
            except Dropped:
                assert await self.answers(duplex)
            else:
                raise AssertionError("it was kept back")

    async def test_stops_when_nobody_listens_and_serves_the_next(self) -> None:
        async with self.duplex() as duplex:
            speaker = Speaker(session_id="s")
            for _ in range(3):
                stream = duplex.converse(pieces(self.utterance()), Prompt((), speaker))
                async with aclosing(cast("AsyncGenerator[DuplexEvent, None]", stream)) as events:
                    async for event in events:
                        if isinstance(event, SpokenPiece):
                            duplex.interrupted(speaker, 10.0)
                            break
            async with asyncio.timeout(10):
                assert await self.answers(duplex)

    async def test_closes_twice(self) -> None:
        async with self.duplex() as duplex:
            await self.answers(duplex)
            await duplex.aclose()
