"""Engines that say again what they said then, and what they do where they are asked something else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lumi.engines.base import ChatMessage, EmotionHint, Prompt, Speaker, TextDelta, Voice
from lumi.store.recordings import FromClient, FromServer, Header, Line, Recording, Turn
from lumi.testing.recorded_engines import REST_MS, RecordedLlm, RecordedStt, RecordedTts, Said, turns
from lumi.testing.sounds import silence


def server(kind: str, **fields: Any) -> Line:
    return FromServer(at_ms=0.0, message={"type": kind} | fields)


def client(kind: str, **fields: Any) -> Line:
    return FromClient(at_ms=0.0, message={"type": kind} | fields)


ENTRIES: list[Line] = [
    server("stt", text="wh", is_final=False),
    server("stt", text="what time is it", confidence=0.5),
    server("llm", emotion="happy"),
    server("tts", state="start"),
    server("tts", state="sentence_start", text="It is noon."),
    server("tts", state="sentence_start", text="Eat."),
    Turn(at_ms=0.0, turn_id="t", stages_ms={"stt": 100.0, "llm": 300.0, "tts": 400.0}),
    server("tts", state="stop"),
    client("listen", state="detect", text="你好"),
    server("stt", text="你好"),
    server("tts", state="start"),
    server("tts", state="sentence_start", text="你好！"),
    server("tts", state="sentence_start", text="请说。"),
    server("tts", state="stop"),
    client("chat", id="c", content="hello"),
    server("llm", emotion="loving"),
    server("response", id="c", delta="Hel", is_final=False),
    server("response", id="c", content="Hello."),
    server("tts", state="start"),
    server("tts", state="sentence_start", text="Tea is ready."),
    server("tts", state="stop"),
]


@pytest.fixture
def said() -> list[Said]:
    return turns(Recording(Header(session_id="s", device_id="d", started_at=0.0), ENTRIES))


def test_turns_are_put_together(said: list[Said]):
    assert [(one.question, one.typed, one.answer) for one in said] == [
        ("what time is it", False, "It is noon. Eat."),
        ("你好", True, "你好！请说。"),
        ("hello", True, "Hello."),
        ("", True, "Tea is ready."),
    ]
    assert said[0].confidence == 0.5
    assert [one.emotion for one in said] == ["happy", "", "loving", ""]
    assert [said[0].delay_s("stt"), said[0].delay_s("llm", "stt")] == [0.1, pytest.approx(0.2)]


async def sound() -> AsyncIterator[bytes]:
    yield b"\0\0"


async def test_the_recogniser_gives_what_was_heard_and_then_nothing(said: list[Said]):
    stt, loop = RecordedStt(said), asyncio.get_running_loop()
    began = loop.time()
    first, second = [await anext(stt.transcribe(sound(), Speaker())) for _ in range(2)]
    assert (first.text, first.confidence, second.text) == ("what time is it", 0.5, "")
    assert loop.time() - began == pytest.approx(0.1)


async def test_the_model_answers_what_it_was_asked_then(said: list[Said]):
    async def asked(text: str) -> list[Any]:
        return [event async for event in RecordedLlm(said).reply(Prompt([ChatMessage("user", text)]))]

    assert await asked("what time is it") == [EmotionHint("happy"), TextDelta("It is noon. Eat.")]
    assert await asked("hello") == [EmotionHint("loving"), TextDelta("Hello.")]
    assert await asked("what else") == []


async def test_the_voice_goes_on_where_a_sentence_was_cut_off():
    def turn(sentence: str, packets: int, *, cut: bool) -> Said:
        return Said(
            "q", sentences=[("It is.", bytearray(2)), (sentence, bytearray(b"\1\0" * packets))], cut=cut
        )

    voice = RecordedTts(
        [turn("It ran.", 500, cut=True), turn("It ate.", 500, cut=True), turn("It ate.", 700, cut=False)]
    )

    async def spoken(text: str) -> bytes:
        return b"".join([piece async for piece in voice.synthesize(text, Voice())])

    assert await spoken("It is.") == bytes(2)  # the last one was cut, not this one
    assert await spoken("It ran.") == b"\1\0" * 500 + silence(REST_MS, voice.sample_rate_hz)
    assert await spoken("It ate.") == b"\1\0" * 700  # heard to its end another time


def test_whether_a_sentence_was_cut_is_seen_where_its_end_would_be_told():
    def cut(*states: str, ends: bool = True) -> bool:
        hello = server("hello", features={"sentence_end": ends})
        speech = [server("tts", state=state, text="It ran.") for state in states]
        entries = [hello, server("stt", text="q"), *speech]
        (one,) = turns(Recording(Header(session_id="s", device_id="d", started_at=0.0), entries))
        return one.cut

    assert cut("start", "sentence_start", "stop")
    assert cut("start", "sentence_start", "sentence_end", "sentence_start", "stop")
    assert not cut("start", "sentence_start", "sentence_end", "stop")
    assert not cut("start", "sentence_start", "stop", ends=False)


async def test_the_voice_speaks_what_it_does_not_know_as_a_tone(said: list[Said]):
    said[0].sentences[0][1].extend(b"\1\0" * 100)
    voice = RecordedTts(said)

    async def spoken(text: str) -> bytes:
        return b"".join([piece async for piece in voice.synthesize(text, Voice())])

    assert await spoken("It is noon.") == b"\1\0" * 100
    assert len(await spoken("Something else.")) > 1000
