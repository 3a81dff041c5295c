import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lumi.engines import fallback_stt
from lumi.engines.base import Speaker, Transcript
from lumi.engines.fallback_stt import FallbackStt
from lumi.engines.roster import Member, Roster
from lumi.errors import EngineError, EngineUnavailable, Trouble
from lumi.testing.engines import ScriptedStt
from lumi.testing.sounds import tone

BROKEN = EngineError("first", "it broke")
SOUND = tone(600)


def listed(*engines: Any, slow_s: float = 4.0) -> FallbackStt:
    members: list[Any] = [Member(str(place), "stt.engine", engine) for place, engine in enumerate(engines)]
    return FallbackStt(Roster("stt", members, slow_s=slow_s))


async def utterance(pcm: bytes = SOUND, *, piece_s: float = 0.06) -> AsyncIterator[bytes]:
    for start in range(0, len(pcm), 1_920):
        await asyncio.sleep(piece_s)
        yield pcm[start : start + 1_920]


async def heard(stt: FallbackStt, speaker: Speaker | None = None, **sound: Any) -> list[Transcript]:
    return [one async for one in stt.transcribe(utterance(**sound), speaker or Speaker())]


class Deaf:
    """Breaks off after so many pieces of sound."""

    name = "deaf"

    def __init__(self, after: int) -> None:
        self._after = after

    async def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        count = 0
        async for _ in audio:
            count += 1
            if count == self._after:
                raise EngineError(self.name, "the line broke", trouble=Trouble.UNREACHABLE)
        yield Transcript("never")

    async def aclose(self) -> None:
        pass


async def test_the_first_recogniser_hears_while_it_works():
    first, second = ScriptedStt(["one"], partials=True), ScriptedStt(["two"])
    transcripts = await heard(listed(first, second))
    assert transcripts[-1].text == "one"
    assert not transcripts[0].is_final
    assert second.calls == 0


@pytest.mark.parametrize("first", [ScriptedStt([BROKEN]), Deaf(1), Deaf(4)])
async def test_when_it_fails_the_next_hears_all_of_the_utterance(first):
    second = ScriptedStt(["two"])
    assert [one.text for one in await heard(listed(first, second))] == ["two"]
    assert second.heard == [SOUND]


async def test_a_slow_one_is_given_up_from_the_end_of_the_sound_on():
    first, second = ScriptedStt(["one"], delay_s=60), ScriptedStt(["two"])
    loop = asyncio.get_running_loop()
    began = loop.time()
    stt = listed(first, second)
    assert (await heard(stt, piece_s=1.0))[-1].text == "two"
    assert loop.time() - began == pytest.approx(10 + 4)
    assert stt.roster.report()[0].trouble is Trouble.SLOW


async def test_a_stream_that_ends_without_words_is_a_failure():
    class Mute(Deaf):
        async def transcribe(
            self, audio: AsyncIterator[bytes], speaker: Speaker
        ) -> AsyncIterator[Transcript]:
            yield Transcript("so", is_final=False)

    stt = listed(Mute(0), ScriptedStt(["two"]))
    assert (await heard(stt))[-1].text == "two"
    assert stt.roster.report()[0].trouble is Trouble.GARBLED


async def test_when_all_fail_the_first_ones_error_is_told():
    with pytest.raises(EngineError, match="first: it broke"):
        await heard(listed(ScriptedStt([BROKEN]), ScriptedStt([EngineError("second", "too")])))


async def test_an_utterance_too_long_to_keep_is_not_heard_in_part(monkeypatch):
    monkeypatch.setattr(fallback_stt, "LONGEST_BYTES", 5_000)
    second = ScriptedStt(["two"])
    with pytest.raises(EngineError, match="first: it broke"):
        await heard(listed(ScriptedStt([BROKEN]), second))
    assert second.calls == 0


async def test_a_turn_that_is_cut_off_lets_go_of_everything():
    closed = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                await asyncio.sleep(1)
                yield b"\0\0"
        finally:
            closed.append(True)

    async def listen() -> None:
        async for _ in listed(Deaf(2), ScriptedStt()).transcribe(endless(), Speaker()):
            pass

    task = asyncio.create_task(listen())
    await asyncio.sleep(5)
    task.cancel()
    await asyncio.wait({task})
    assert closed == [True]


async def test_a_stand_in_that_does_not_know_the_language_is_not_believed_when_it_guesses():
    class English(ScriptedStt):
        languages = ("en",)

    for confidence, text in ((0.4, ""), (0.9, "two")):
        stand_in = English([Transcript("two", confidence)])
        stt = listed(Deaf(1), stand_in)
        assert (await heard(stt, Speaker(language="zh")))[-1].text == text


def test_the_languages_are_those_that_any_of_them_knows():
    class English(ScriptedStt):
        languages = ("en",)

    class Chinese(ScriptedStt):
        languages = ("zh",)

    assert listed(English(), Chinese()).languages == ("en", "zh")
    assert listed(English(), ScriptedStt()).languages is None


async def test_it_is_loaded_and_closed_as_one():
    class Heavy(ScriptedStt):
        async def start(self) -> None:
            raise EngineUnavailable("heavy", "install it")

    engines = [Heavy(), ScriptedStt()]
    stt = listed(*engines)
    await stt.start()
    assert stt.name == "scripted-stt"
    await stt.aclose()
    assert all(engine.closed for engine in engines)
