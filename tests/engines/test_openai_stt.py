from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lumi.engines.base import Speaker, Stt, Transcript
from lumi.engines.openai_stt import OpenAiStt
from lumi.errors import ConfigError
from lumi.testing import silence, tone
from lumi.testing.conformance import SttConformance, final_of, noise, pieces
from lumi.testing.openai_faults import Fault
from lumi.testing.openai_server import OpenAiServer
from lumi.testing.service_conformance import ServiceConformance

ONE, TWO = tone(900), tone(1_300, pitch_hz=300)
WORDS = {len(ONE): "turn on the light", len(TWO): "what time is it"}


def hear(pcm: bytes, rate_hz: int) -> str:
    """Knows two recordings by their length; all else is noise to it."""
    assert rate_hz == 16_000
    return WORDS.get(len(pcm), "")


@asynccontextmanager
async def parts(
    options: dict[str, Any] | None = None, **script: Any
) -> AsyncIterator[tuple[OpenAiServer, OpenAiStt]]:
    async with OpenAiServer(**script) as service:
        stt = OpenAiStt(base_url=service.base_url, **(options or {}))
        yield service, stt
        await stt.aclose()


async def heard(stt: Stt, pcm: bytes = ONE, language: str = "en") -> list[Transcript]:
    return [transcript async for transcript in stt.transcribe(pieces(pcm), Speaker(language=language))]


class OfTheService(SttConformance):
    options: dict[str, Any] = {}

    @asynccontextmanager
    async def stt(self) -> AsyncIterator[Stt]:
        async with parts(self.options, hear=hear) as (_, stt):
            yield stt

    def utterances(self) -> Iterable[tuple[bytes, str]]:
        return ((ONE, WORDS[len(ONE)]), (TWO, WORDS[len(TWO)]))

    async def test_closes_twice(self) -> None:
        async with parts(hear=hear) as (_, stt):
            await heard(stt)
            await stt.aclose()


@pytest.mark.real
class TestConformance(OfTheService):
    pass


@pytest.mark.real
class TestConformanceStreaming(OfTheService):
    options = {"stream": True}


class Failures(ServiceConformance):
    what = "transcriptions"
    options: dict[str, Any] = {}

    def make(self, **settings: Any) -> OpenAiStt:
        return OpenAiStt(**settings, **self.options)

    async def use(self, engine: OpenAiStt) -> str:
        return (await final_of(engine.transcribe(pieces(ONE), Speaker()))).text


@pytest.mark.real
class TestFailures(Failures):
    # One short JSON text: whatever comes in place of its end makes it no JSON.
    told_apart = {}
    unnoticed = frozenset({Fault.ERROR_MIDDLE})


@pytest.mark.real
class TestFailuresStreaming(Failures):
    options = {"stream": True}


@pytest.mark.real
async def test_words_come_piece_by_piece_where_that_is_asked_for() -> None:
    async with parts({"stream": True}) as (service, stt):
        transcripts = await heard(stt)
        assert [(t.text, t.is_final) for t in transcripts] == [
            ("what", False),
            ("what time", False),
            ("what time is", False),
            ("what time is it", False),
            ("what time is it", True),
        ]
        service.script.streams = False
        assert [(t.text, t.is_final) for t in await heard(stt)] == [("what time is it", True)]


@pytest.mark.real
async def test_the_sound_arrives_as_it_was() -> None:
    async with parts() as (service, stt):
        await heard(stt, ONE + b"\x01")
        assert service.of("transcriptions")[0].pcm == ONE


@pytest.mark.real
async def test_silence_is_not_sent() -> None:
    async with parts() as (service, stt):
        for pcm in (b"", silence(2_000), noise(1, loudness=3), ONE[:3_000]):
            assert await heard(stt, pcm) == [Transcript("", 0.0)]
        assert service.of("transcriptions") == []


@pytest.mark.real
@pytest.mark.parametrize(("option", "sent"), [("speaker", "zh"), ("auto", None), ("de", "de")])
async def test_the_language_is_hinted(option: str, sent: str | None) -> None:
    async with parts({"language": option, "prompt": "Lumi", "temperature": 0.0}) as (service, stt):
        await heard(stt, language="zh")
        body = service.of("transcriptions")[0].body
        assert body.get("language") == sent
        assert body["prompt"] == "Lumi"
        assert body["temperature"] == "0.0"


@pytest.mark.real
@pytest.mark.parametrize(
    ("said", "code"), [("english", "en"), ("Chinese", "zh"), ("zh", "zh"), ("german", "ge")]
)
async def test_language_and_confidence_are_passed_on(said: str, code: str) -> None:
    async with parts({"response_format": "verbose_json"}, language=said) as (_, stt):
        (transcript,) = await heard(stt)
        assert transcript.language == code
        assert 0.7 < transcript.confidence < 0.9


@pytest.mark.real
async def test_marks_of_events_are_no_words() -> None:
    async with parts(hear=["<|zh|><|NEUTRAL|><|Speech|>你好", "<|nospeech|>"]) as (_, stt):
        assert [t.text for t in await heard(stt)] == ["你好"]
        assert await heard(stt) == [Transcript("", 0.0)]


@pytest.mark.real
async def test_a_long_recording_is_sent_whole() -> None:
    long = tone(60_000)
    async with parts() as (service, stt):
        await heard(stt, long)
        assert service.of("transcriptions")[0].pcm == long


def test_options_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"stt\.options: .*response_format"):
        OpenAiStt(base_url="http://x", response_format="srt")
