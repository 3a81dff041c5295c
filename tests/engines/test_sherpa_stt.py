"""sherpa-onnx's recognisers through the real library, on tiny models that hear melodies; on real ones where they are named.

LUMI_TEST_SENSE_VOICE=~/.local/share/lumi/models/sense-voice pytest tests/engines/test_sherpa_stt.py
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from tests.engines.real_models import real_model
from tests.engines.tiny_models import melody, sense_voice, zipformer

from lumi.engines.base import Speaker, Transcript
from lumi.engines.sherpa_stt import SherpaStt
from lumi.errors import ConfigError, EngineError, EngineUnavailable
from lumi.testing.conformance import SttConformance, final_of, pieces

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def sense_voice_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sense_voice(tmp_path_factory.mktemp("sense-voice"))


@pytest.fixture(scope="module")
def zipformer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zipformer(tmp_path_factory.mktemp("zipformer"))


class TestSenseVoice(SttConformance):
    @pytest.fixture(autouse=True)
    def model(self, sense_voice_folder: Path) -> None:
        self.folder = sense_voice_folder

    def make(self) -> SherpaStt:
        return SherpaStt(str(self.folder), threads=1)

    def utterances(self) -> Iterable[tuple[bytes, str]]:
        return ((melody([0, 1, 2, 3]), "你好今天"), (melody([3, 0]), "天你"))

    async def test_the_language_is_told(self):
        async with self.stt() as stt:
            assert (await self.heard(stt, melody([0, 1]))).language == "zh"

    async def test_more_than_half_a_minute_is_heard_in_parts(self):
        async with self.stt() as stt:
            assert (await self.heard(stt, melody([0, 1, 2, 3] * 20))).text == "你好今天" * 20


class TestZipformer(SttConformance):
    @pytest.fixture(autouse=True)
    def model(self, zipformer_folder: Path) -> None:
        self.folder = zipformer_folder

    def make(self) -> SherpaStt:
        return SherpaStt(str(self.folder), threads=1)

    def utterances(self) -> Iterable[tuple[bytes, str]]:
        return ((melody([0, 1, 2, 3]), "hello world good day"), (melody([3, 0]), "day hello"))

    async def test_words_come_while_one_speaks(self):
        async with self.stt() as stt:
            heard = [one async for one in stt.transcribe(slowly(melody([0, 1, 2, 3])), Speaker())]
        partials = [one.text for one in heard if not one.is_final]
        assert partials[0] == "hello"
        assert "hello world good" in partials
        assert all(a != b for a, b in itertools.pairwise(partials))
        assert heard[-1].text == "hello world good day"


async def slowly(pcm: bytes) -> AsyncIterator[bytes]:
    async for piece in pieces(pcm):
        yield piece
        await asyncio.sleep(0.01)


async def test_a_crash_costs_the_utterance_only(sense_voice_folder: Path):
    import os
    import signal

    stt = SherpaStt(str(sense_voice_folder), threads=1)
    try:
        await stt.start()
        listening = asyncio.ensure_future(final_of(stt.transcribe(slowly(melody([0] * 8)), Speaker())))
        await asyncio.sleep(0.05)
        os.kill(stt.pids[0], signal.SIGKILL)
        with pytest.raises(EngineError, match="ended unexpectedly"):
            await listening
        heard: Transcript = await final_of(stt.transcribe(pieces(melody([0, 1])), Speaker()))
        assert heard.text == "你好"
    finally:
        await stt.aclose()


async def test_a_broken_model_does_not_take_the_server_with_it(tmp_path: Path):
    (sense_voice(tmp_path) / "model.int8.onnx").write_bytes(b"no model at all")
    stt = SherpaStt(str(tmp_path))
    try:
        with pytest.raises(EngineUnavailable, match=r"cannot start|Exception|Error"):
            await stt.start()
    finally:
        await stt.aclose()


async def test_a_model_of_another_kind_ends_its_process_not_ours(tmp_path: Path):
    """The library calls exit() when metadata are missing: why it lives in a process of its own."""
    folder, other = sense_voice(tmp_path / "a"), zipformer(tmp_path / "b")
    (other / "joiner-epoch-1-avg-1.int8.onnx").replace(folder / "model.int8.onnx")
    stt = SherpaStt(str(folder))
    try:
        with pytest.raises(EngineUnavailable):
            await stt.start()
    finally:
        await stt.aclose()


def test_what_is_missing_is_said_with_the_mend(tmp_path: Path):
    with pytest.raises(EngineUnavailable, match="lumi models add sense-voice"):
        SherpaStt()
    with pytest.raises(EngineUnavailable, match="no folder"):
        SherpaStt(str(tmp_path / "none"))
    with pytest.raises(EngineUnavailable, match=r"lacks .*model, tokens"):
        SherpaStt(str(tmp_path))


def test_settings_are_looked_at(sense_voice_folder: Path, zipformer_folder: Path):
    with pytest.raises(ConfigError, match=r"sherpa\.language: is 'de'; accepted: auto, zh"):
        SherpaStt(str(sense_voice_folder), language="de")
    assert SherpaStt(str(sense_voice_folder)).languages == ("zh", "en", "ja", "ko", "yue")
    assert SherpaStt(str(zipformer_folder)).languages is None
    assert SherpaStt(str(zipformer_folder), languages=["zh", "en"]).languages == ("zh", "en")


async def test_a_real_sense_voice_hears_its_own_recordings():
    """The model's archive ships recordings, `test_wavs/zh.wav` among them."""
    folder = real_model("LUMI_TEST_SENSE_VOICE")
    from lumi.audio.wav import read_wav

    stt = SherpaStt(str(folder))
    try:
        sound = read_wav(folder / "test_wavs" / "zh.wav")
        heard = await final_of(stt.transcribe(pieces(sound.pcm), Speaker(language="zh")))
        assert (heard.language, bool(heard.text)) == ("zh", True)
    finally:
        await stt.aclose()
