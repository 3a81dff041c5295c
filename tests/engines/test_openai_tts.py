from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lumi.audio.sound_stream import open_stream
from lumi.engines import openai_tts
from lumi.engines.base import Tts, Voice
from lumi.engines.openai_tts import LONGEST_CHARS, OpenAiTts, choose_voice, parts, voice_names
from lumi.errors import ConfigError, EngineError, Trouble
from lumi.testing.conformance import TtsConformance
from lumi.testing.openai_faults import Fault
from lumi.testing.openai_server import OpenAiServer
from lumi.testing.service_conformance import ServiceConformance


@asynccontextmanager
async def house(
    options: dict[str, Any] | None = None, **script: Any
) -> AsyncIterator[tuple[OpenAiServer, OpenAiTts]]:
    async with OpenAiServer(**{"ms_per_character": 30, **script}) as service:
        tts = OpenAiTts(base_url=service.base_url, **(options or {}))
        yield service, tts
        await tts.aclose()


async def spoken(tts: Tts, text: str = "hello there", voice: Voice | None = None) -> bytes:
    return b"".join([piece async for piece in tts.synthesize(text, voice or Voice())])


class OfTheService(TtsConformance):
    options: dict[str, Any] = {}

    @asynccontextmanager
    async def tts(self) -> AsyncIterator[Tts]:
        async with house(self.options) as (_, tts):
            yield tts

    async def test_closes_twice(self) -> None:
        async with house(self.options) as (_, tts):
            await spoken(tts)
            await tts.aclose()


@pytest.mark.real
class TestConformancePcm(OfTheService):
    pass


@pytest.mark.real
class TestConformanceWav(OfTheService):
    options = {"response_format": "wav", "rate_hz": 16_000}


@pytest.mark.real
class TestConformanceMp3(OfTheService):
    options = {"response_format": "mp3"}


@pytest.mark.real
class TestConformanceOpus(OfTheService):
    options = {"response_format": "opus"}


class Failures(ServiceConformance):
    what = "speech"
    options: dict[str, Any] = {}

    def make(self, **settings: Any) -> OpenAiTts:
        return OpenAiTts(**settings, **self.options)

    async def use(self, engine: OpenAiTts) -> bytes:
        return await spoken(engine, "hello there, this is a longer sentence than usual")


@pytest.mark.real
class TestFailuresPcm(Failures):
    # Raw samples have no form: any bytes will do, and so will fewer of them.
    unnoticed = frozenset({Fault.GARBAGE, Fault.HALF, Fault.ERROR_MIDDLE, Fault.GARBAGE_MIDDLE})


@pytest.mark.real
class TestFailuresMp3(Failures):
    options = {"response_format": "mp3"}
    unnoticed = frozenset({Fault.HALF, Fault.ERROR_MIDDLE, Fault.GARBAGE_MIDDLE})


@pytest.mark.real
async def test_who_is_cut_off_while_a_decoder_is_loaded_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loading, go_on = threading.Event(), threading.Event()

    def slow(*arguments: Any) -> Any:
        loading.set()
        go_on.wait(10)
        return open_stream(*arguments)

    monkeypatch.setattr(openai_tts, "open_stream", slow)
    async with house({"response_format": "mp3"}) as (_, tts):
        work = asyncio.ensure_future(spoken(tts))
        assert await asyncio.to_thread(loading.wait, 10)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        go_on.set()


@pytest.mark.real
async def test_what_is_asked_for() -> None:
    options = {"instructions": "Be kind.", "extra": {"sample_rate": 24_000}}
    async with house(options) as (service, tts):
        await spoken(tts, "**Hello** 😀 [there](http://x)", Voice(name="echo", speed=1.2))
        await spoken(tts)
        first, second = (asked.body for asked in service.of("speech"))
        assert first == {
            "model": "tts-stand-in",
            "voice": "echo",
            "input": "Hello there",
            "response_format": "pcm",
            "speed": 1.2,
            "instructions": "Be kind.",
            "sample_rate": 24_000,
        }
        assert (second["voice"], "speed" in second) == ("alloy", False)


@pytest.mark.real
async def test_a_voice_for_each_language() -> None:
    async with house({"voices": {"zh": "zf_x", "en": "af_y"}}, voices=("zf_x", "af_y")) as (service, tts):
        await spoken(tts, "你好")
        await spoken(tts, "hello")
        await spoken(tts, "123", Voice(language="zh-CN"))
        assert [asked.body["voice"] for asked in service.of("speech")] == ["zf_x", "af_y", "zf_x"]


@pytest.mark.real
async def test_a_voice_that_is_not_there_is_replaced_and_not_asked_for_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with house(voices=("af_heart", "zf_xiaoxiao")) as (service, tts):
        assert await spoken(tts, "你好", Voice(name="nobody"))
        assert await spoken(tts, "你好", Voice(name="nobody"))
        used = [asked.body["voice"] for asked in service.of("speech")]
        assert used == ["nobody", "alloy", "zf_xiaoxiao", "zf_xiaoxiao"]
        assert "tts.voice sets another" in caplog.text


@pytest.mark.real
async def test_a_service_that_takes_no_voice_says_why() -> None:
    async with house(voices=()) as (_, tts):
        with pytest.raises(EngineError, match="Voice 'alloy' not found") as caught:
            await spoken(tts)
        assert caught.value.trouble is Trouble.REFUSED


@pytest.mark.real
async def test_what_comes_is_told_by_its_first_bytes() -> None:
    async with house({"extra": {"response_format": "wav"}}) as (_, tts):
        pcm = await spoken(tts)
        assert b"RIFF" not in pcm
        assert pcm


def test_long_text_is_cut_at_sentences() -> None:
    text = "One sentence. " * 400
    cut = list(parts(text))
    assert all(len(part) <= LONGEST_CHARS and part.endswith(".") for part in cut)
    assert " ".join(cut) == text.strip()
    assert [len(part) for part in parts("x" * 5_000)] == [2_000, 2_000, 1_000]
    assert list(parts(" ?! ")) == []


def test_voices_are_read_from_whatever_list() -> None:
    assert voice_names({"voices": ["a", {"id": "b"}, {"name": "c"}, 4, {}]}) == ["a", "b", "c"]
    assert voice_names({"data": [{"voice_id": "d"}]}) == ["d"]
    assert voice_names("no list") == voice_names({}) == []
    assert choose_voice(["af_heart", "zf_x"], "zh") == "zf_x"
    assert choose_voice(["Bella", "en_US-amy"], "en") == "en_US-amy"
    assert choose_voice(["Bella"], "zh") == "Bella"
    assert choose_voice([], "en") is None


def test_options_are_checked() -> None:
    for wrong in ({"response_format": "flac"}, {"rate_hz": 1}):
        with pytest.raises(ConfigError, match=r"tts\.options"):
            OpenAiTts(base_url="http://x", **wrong)
