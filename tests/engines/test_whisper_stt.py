"""faster-whisper with Whisper's real tiny.en, on the built-in voice and on Piper's; the pure parts without any model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from tests.engines.real_models import real_model

from lumi.audio.format import SPEECH_RATE_HZ
from lumi.audio.resample import Resampler
from lumi.engines.base import Speaker, Voice
from lumi.engines.piper_tts import PiperTts
from lumi.engines.whisper_stt import WhisperStt
from lumi.engines.whisper_worker import transcript
from lumi.errors import ConfigError, EngineUnavailable
from lumi.testing.conformance import SttConformance, final_of, noise, pieces

SENTENCES = {
    "What time is it?": "what time is it",
    "Please turn on the light in the kitchen.": "please turn on the light in the kitchen",
}


@cache
def recordings() -> tuple[tuple[bytes, str], ...]:
    """The sentences by a real voice, at 16 kHz, and their words."""
    import asyncio

    async def record() -> tuple[tuple[bytes, str], ...]:
        tts = PiperTts(str(real_model("LUMI_TEST_PIPER")))
        try:
            return tuple([(await one(tts, sentence), words) for sentence, words in SENTENCES.items()])
        finally:
            await tts.aclose()

    async def one(tts: PiperTts, sentence: str) -> bytes:
        speech = b"".join([piece async for piece in tts.synthesize(sentence, Voice())])
        spoken = Resampler(tts.sample_rate_hz, SPEECH_RATE_HZ).push(speech, last=True)
        return noise(0.3, 8) + spoken + noise(0.4, 8)

    return asyncio.run(record())


def plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum() or c == " ").strip()


@pytest.fixture(scope="module")
def spoken() -> tuple[tuple[bytes, str], ...]:
    real_model("LUMI_TEST_WHISPER")
    return recordings()


@pytest.mark.real(timeout_s=110)
class TestTinyEnglish(SttConformance):
    @pytest.fixture(autouse=True)
    def recorded(self, spoken: tuple[tuple[bytes, str], ...]) -> None:
        self.spoken = spoken

    def make(self) -> WhisperStt:
        return WhisperStt(str(real_model("LUMI_TEST_WHISPER")), languages=["en"])

    def utterances(self) -> Iterable[tuple[bytes, str]]:
        return (
            (self.spoken[0][0], "What time is it?"),
            (self.spoken[1][0], "Please turn on the light in the kitchen."),
        )

    async def test_hears_what_was_said(self) -> None:
        async with self.stt() as stt:
            for pcm, words in self.spoken:
                heard = await self.heard(stt, pcm)
                assert plain(heard.text) == words
                assert heard.confidence > 0.5
                assert heard.language == "en"


@dataclass
class Segment:
    text: str
    avg_logprob: float = -0.1
    no_speech_prob: float = 0.0


def test_segments_become_one_transcript_as_sure_as_the_least_sure():
    said = transcript([Segment(" Hello."), Segment(" How are you?", -1.0)], "en")
    assert said.text == "Hello. How are you?"
    assert said.confidence == pytest.approx(0.368, abs=0.001)
    assert transcript([Segment("你好。"), Segment("再见。")], "zh").text == "你好。再见。"


def test_what_is_probably_no_speech_is_not_trusted():
    assert transcript([Segment("Thank you.", -0.3, 0.9)], "en").confidence < 0.1
    assert transcript([Segment(" ..."), Segment(" ♪")], "en").text == ""
    assert transcript([], "").confidence == 0.0


def test_what_is_missing_is_said_with_the_mend(tmp_path: Path):
    with pytest.raises(EngineUnavailable, match="lumi models add whisper-base"):
        WhisperStt()
    with pytest.raises(EngineUnavailable, match=r"lacks config\.json, model\.bin, tokenizer\.json"):
        WhisperStt(str(tmp_path))


def test_settings_are_looked_at(tmp_path: Path):
    for name in ("config.json", "model.bin", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(ConfigError, match="beam"):
        WhisperStt(str(tmp_path), beam=0)
    with pytest.raises(ConfigError, match="workers"):
        WhisperStt(str(tmp_path), workers=0)
    assert WhisperStt(str(tmp_path)).languages is None


@pytest.mark.real
async def test_a_broken_model_is_said_to_be_broken(tmp_path: Path):
    for name in ("config.json", "model.bin", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    stt = WhisperStt(str(tmp_path))
    try:
        with pytest.raises(EngineUnavailable, match="whisper"):
            await stt.start()
        with pytest.raises(EngineUnavailable):
            await final_of(stt.transcribe(pieces(b""), Speaker()))
    finally:
        await stt.aclose()
