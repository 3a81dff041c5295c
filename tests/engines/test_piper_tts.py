"""Piper on a tiny voice that hums, and on a real one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.engines.real_models import real_model
from tests.engines.test_sherpa_tts import crossings
from tests.engines.tiny_models import VOICE_RATE_HZ, piper_voice

from lumi.engines.base import Voice
from lumi.engines.piper_tts import PiperTts
from lumi.errors import EngineUnavailable
from lumi.testing.conformance import TtsConformance

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return piper_voice(tmp_path_factory.mktemp("voice"))


class TestTinyVoice(TtsConformance):
    @pytest.fixture(autouse=True)
    def model(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> PiperTts:
        return PiperTts(str(self.folder))


async def test_a_real_voice_speaks_in_time_and_in_pieces():
    tts = PiperTts(str(real_model("LUMI_TEST_PIPER")))
    try:
        pieces = [
            len(piece)
            async for piece in tts.synthesize("**17** × 23 = 391. Is that what you meant?", Voice())
        ]
        assert len(pieces) > 5
        assert 2 < sum(pieces) / 2 / tts.sample_rate_hz < 8
    finally:
        await tts.aclose()


async def test_speakers_go_by_name_and_number(tmp_path: Path):
    tts = PiperTts(str(piper_voice(tmp_path, speakers=2)), speaker="high")
    try:
        sounds = [
            b"".join([piece async for piece in tts.synthesize("hello", Voice(name=name))])
            for name in ("", "low", "1", "nobody")
        ]
        high, low, first, nobody = map(crossings, sounds)
        assert high == first == nobody > 1.8 * low
    finally:
        await tts.aclose()


def test_what_the_voice_says_of_itself(folder: Path):
    tts = PiperTts(str(folder))
    assert (tts.sample_rate_hz, tts.languages) == (VOICE_RATE_HZ, ("en",))
    assert PiperTts(str(folder), languages=["de"]).languages == ("de",)


def test_what_is_missing_is_said_with_the_mend(tmp_path: Path):
    with pytest.raises(EngineUnavailable, match="lumi models add piper-zh-huayan"):
        PiperTts()
    with pytest.raises(EngineUnavailable, match=r"no \.onnx file"):
        PiperTts(str(tmp_path))
    (tmp_path / "a.onnx").write_bytes(b"")
    with pytest.raises(EngineUnavailable, match=r"a\.onnx\.json is not there"):
        PiperTts(str(tmp_path))
    (tmp_path / "a.onnx.json").write_text("[]")
    with pytest.raises(EngineUnavailable, match="not a voice's"):
        PiperTts(str(tmp_path))


def test_a_voice_that_would_go_to_the_network_is_refused(tmp_path: Path):
    settings = piper_voice(tmp_path) / "tiny.onnx.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"phoneme_type": "pinyin"}))
    with pytest.raises(EngineUnavailable, match="'pinyin'"):
        PiperTts(str(tmp_path))


async def test_a_broken_model_is_said_to_be_broken(tmp_path: Path):
    (piper_voice(tmp_path) / "tiny.onnx").write_bytes(b"no model")
    tts = PiperTts(str(tmp_path))
    try:
        with pytest.raises(EngineUnavailable, match="piper"):
            await tts.start()
    finally:
        await tts.aclose()
