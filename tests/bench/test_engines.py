"""Engines that answer at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

from lumi.bench.engines import InstantStt, RecordedTts, ThreeSentencesLlm
from lumi.engines.base import Prompt, Speaker, TextDelta, Voice


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


async def text_of(llm: ThreeSentencesLlm) -> str:
    return "".join([event.text async for event in llm.reply(Prompt([])) if isinstance(event, TextDelta)])


async def test_a_transcript_comes_when_the_sound_has_ended() -> None:
    stt = InstantStt()
    (final,) = [transcript async for transcript in stt.transcribe(pieces(b"ab", b"cd"), Speaker())]
    assert final.text
    assert final.is_final
    await stt.aclose()


async def test_fresh_answers_are_never_the_same_sentence_twice() -> None:
    llm = ThreeSentencesLlm(fresh=True)
    first, second = await text_of(llm), await text_of(llm)
    assert first.count(".") == 3
    assert not set(first.split(". ")) & set(second.split(". "))
    await llm.aclose()


async def test_other_answers_are_always_the_same() -> None:
    llm = ThreeSentencesLlm(fresh=False)
    assert await text_of(llm) == await text_of(llm)


async def test_recordings_are_played_in_turn() -> None:
    tts = RecordedTts([b"one", b"two"], 16_000)
    spoken = [[piece async for piece in tts.synthesize("anything", Voice())] for _ in range(3)]
    assert spoken == [[b"one"], [b"two"], [b"one"]]
    await tts.aclose()
