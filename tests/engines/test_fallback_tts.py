import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lumi.engines.base import RESTART, Voice
from lumi.engines.fallback_tts import FallbackTts
from lumi.engines.roster import Member, Roster
from lumi.errors import EngineError, Trouble
from lumi.testing.engines import ScriptedTts

BROKEN = EngineError("first", "it broke")


def listed(*engines: Any, slow_s: float = 4.0) -> FallbackTts:
    members: list[Any] = [Member(str(place), "tts.engine", engine) for place, engine in enumerate(engines)]
    return FallbackTts(Roster("tts", members, slow_s=slow_s))


async def spoken(tts: FallbackTts, text: str = "hello") -> list[bytes]:
    return [piece async for piece in tts.synthesize(text, Voice())]


class Hoarse(ScriptedTts):
    """Breaks off after the first piece."""

    async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        async for piece in super().synthesize(text, voice):
            yield piece
            raise BROKEN


async def test_the_first_voice_speaks_while_it_works():
    first, second = ScriptedTts(), ScriptedTts()
    tts = listed(first, second)
    assert b"".join(await spoken(tts))
    assert (second.calls, tts.stand_ins, tts.sample_rate_hz) == (0, 0, 16_000)


@pytest.mark.parametrize("first", [ScriptedTts(failures={None: BROKEN}), ScriptedTts(delay_s=60)])
async def test_when_it_fails_the_next_speaks_at_the_first_ones_rate(first):
    tts = listed(first, ScriptedTts(sample_rate_hz=24_000))
    pieces = await spoken(tts)
    assert RESTART not in pieces
    assert len(b"".join(pieces)) / 2 / 16_000 == pytest.approx(0.3, abs=0.01)
    assert tts.stand_ins == 1


async def test_in_mid_sentence_what_was_spoken_is_taken_back_and_all_is_spoken_anew():
    second = ScriptedTts()
    pieces = await spoken(listed(Hoarse(), second))
    assert pieces.index(RESTART) == 1
    assert second.spoken == ["hello"]
    assert len(b"".join(pieces[2:])) / 2 / 16_000 == pytest.approx(0.3)


async def test_when_all_fail_the_first_ones_error_is_told_and_nothing_is_taken_back():
    pieces: list[bytes] = []

    async def speak() -> None:
        async for piece in listed(Hoarse()).synthesize("hello", Voice()):
            pieces.append(piece)

    with pytest.raises(EngineError, match="first: it broke"):
        await speak()
    assert len(pieces) == 1


async def test_a_voice_that_stalls_in_mid_sentence_is_given_up():
    tts = listed(ScriptedTts(piece_s=60), ScriptedTts())
    assert RESTART in await spoken(tts, "a longer sentence")
    assert tts.roster.report()[0].trouble is Trouble.SLOW


async def test_what_has_nothing_to_pronounce_is_no_failure():
    tts = listed(ScriptedTts(), ScriptedTts())
    assert await spoken(tts, "?!") == []
    assert tts.stand_ins == 0


async def test_empty_pieces_of_a_voice_mean_nothing():
    class Gappy(ScriptedTts):
        async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
            yield b""
            yield b"\1\0" * 100

    assert await spoken(listed(Gappy())) == [b"\1\0" * 100]


async def test_it_is_loaded_and_closed_as_one():
    engines = [ScriptedTts(), ScriptedTts()]
    tts = listed(*engines)
    await tts.start()
    await tts.aclose()
    await asyncio.sleep(0)
    assert all(engine.closed for engine in engines)
