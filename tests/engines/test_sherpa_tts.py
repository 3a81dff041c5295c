"""sherpa-onnx's voices through the real library, on a tiny model that hums; on a real one where it is named.

LUMI_TEST_SHERPA_VOICE=~/.local/share/lumi/models/melo-zh-en pytest tests/engines/test_sherpa_tts.py
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engines.real_models import real_model
from tests.engines.tiny_models import LEXICON, VOICE_RATE_HZ, lexicon_voice, piper_voice

from lumi.engines.base import Voice
from lumi.engines.sherpa_tts import SherpaTts
from lumi.errors import ConfigError, EngineUnavailable
from lumi.testing.conformance import TtsConformance

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lexicon_voice(tmp_path_factory.mktemp("voice"))


async def spoken(tts: SherpaTts, text: str, voice: Voice | None = None) -> bytes:
    return b"".join([piece async for piece in tts.synthesize(text, voice or Voice())])


class TestLexiconVoice(TtsConformance):
    @pytest.fixture(autouse=True)
    def model(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> SherpaTts:
        return SherpaTts(str(self.folder), threads=1)

    async def test_the_rate_is_the_models(self):
        async with self.tts() as tts:
            await self.spoken(tts, self.short)
            assert tts.sample_rate_hz == VOICE_RATE_HZ

    async def test_speakers_differ_and_an_unknown_one_is_the_first(self):
        tts = SherpaTts(str(self.folder), speakers={"zh": 1}, threads=1)
        try:
            low, high = await spoken(tts, "hello there"), await spoken(tts, "hello there", Voice(name="1"))
            assert crossings(high) > 1.8 * crossings(low)
            assert await spoken(tts, "hello there", Voice(name="7")) == low
            chinese = await spoken(tts, "你好")
            assert crossings(chinese) / len(chinese) > 1.8 * crossings(low) / len(low)
        finally:
            await tts.aclose()


def crossings(pcm: bytes) -> int:
    """How often the sound goes through zero: twice its pitch."""
    import numpy as np

    signs = np.frombuffer(pcm, np.int16) >= 0
    return int((signs[1:] != signs[:-1]).sum())


def test_what_is_missing_is_said_with_the_mend(tmp_path: Path):
    with pytest.raises(EngineUnavailable, match="lumi models add melo-zh-en"):
        SherpaTts()
    with pytest.raises(EngineUnavailable, match=r"lacks .*model, tokens, lexicon"):
        SherpaTts(str(tmp_path))
    with pytest.raises(EngineUnavailable, match=r"set tts\.engine to piper"):
        SherpaTts(str(piper_voice(tmp_path / "piper")))


def test_settings_are_looked_at(folder: Path):
    with pytest.raises(ConfigError, match="numbered from 0"):
        SherpaTts(str(folder), speakers={"zh": -1})
    assert SherpaTts(str(folder), languages=["zh"]).languages == ("zh",)
    assert SherpaTts(str(folder)).languages is None


async def test_a_real_voice_speaks_both_languages():
    tts = SherpaTts(str(real_model("LUMI_TEST_SHERPA_VOICE")))
    try:
        for text in ("今天天气怎么样？", " ".join(LEXICON[:6])):
            assert len(await spoken(tts, text)) > tts.sample_rate_hz
    finally:
        await tts.aclose()
