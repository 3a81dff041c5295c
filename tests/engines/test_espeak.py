"""espeak-ng's voice in its process."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys

import pytest

from lumi.engines.base import Tts, Voice
from lumi.engines.espeak import EspeakTts
from lumi.engines.espeak_worker import voices_for
from lumi.engines.spoken_job import PIECE_BYTES
from lumi.engines.spoken_text import Script
from lumi.engines.worker_speech import SpeakRequest
from lumi.errors import ConfigError, EngineError, EngineUnavailable
from lumi.testing.conformance import TtsConformance


@pytest.mark.real
class TestConformance(TtsConformance):
    def make(self) -> Tts:
        return EspeakTts()


async def speak(tts: EspeakTts, text: str, voice: Voice | None = None) -> bytes:
    return b"".join([piece async for piece in tts.synthesize(text, voice or Voice())])


@pytest.mark.real
async def test_voices_differ_by_language_and_name() -> None:
    tts = EspeakTts()
    await tts.start()
    english, chinese = "hello there my friend", "你好吗，今天天气很好"

    async def seconds(text: str, name: str = "", language: str = "") -> float:
        return len(await speak(tts, text, Voice(name=name, language=language))) / 2 / tts.sample_rate_hz

    # espeak-ng varies by some thousandths from one time to the next
    assert await seconds(chinese, language="yue") < 0.9 * await seconds(chinese)
    assert await seconds(english, language="en-GB") < 0.97 * await seconds(english)
    assert await seconds(english, name="en-GB") < 0.97 * await seconds(english)
    assert await seconds(english, language="yue") == pytest.approx(await seconds(english), rel=0.01)
    assert await seconds(english, name="+f3") > 1.02 * await seconds(english)
    await tts.aclose()


@pytest.mark.real
async def test_pieces_are_short_and_a_mixed_text_has_all_its_parts() -> None:
    tts = EspeakTts()
    pieces = [piece async for piece in tts.synthesize("我想听 the long and winding road 这首歌", Voice())]
    assert max(map(len, pieces)) <= PIECE_BYTES
    alone = [await speak(tts, part) for part in ("我想听", "the long and winding road", "这首歌")]
    assert sum(map(len, pieces)) == pytest.approx(sum(map(len, alone)), rel=0.02)
    await tts.aclose()


@pytest.mark.real
async def test_speech_goes_on_after_the_worker_was_killed() -> None:
    tts = EspeakTts()
    speech = tts.synthesize("hello there. " * 2_000, Voice())
    await anext(speech)
    for pid in tts.pids:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineError, match=r"espeak: the worker process ended unexpectedly \(exit code -9\)"):
        async for _ in speech:
            pass
    assert await speak(tts, "hello")
    await tts.aclose()


@pytest.mark.real
def test_the_server_s_process_never_loads_the_library() -> None:
    code = """
import asyncio, sys
from pathlib import Path
from lumi.engines.base import Voice
from lumi.engines.espeak import EspeakTts

async def main():
    tts = EspeakTts()
    assert [piece async for piece in tts.synthesize("hello", Voice())]
    assert Path(f"/proc/{tts.pids[0]}/maps").read_text().count("libespeak-ng") > 0
    await tts.aclose()

asyncio.run(main())
print("lumi.engines.espeak_library" in sys.modules, Path("/proc/self/maps").read_text().count("libespeak-ng"))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split() == ["False", "0"]


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(
        EngineUnavailable, match=r"espeak: its library is missing; .*pip install 'lumi-assistant\[server\]'"
    ):
        EspeakTts()


def test_needs_a_worker() -> None:
    with pytest.raises(ConfigError, match=r"espeak\.workers"):
        EspeakTts(workers=0)


@pytest.mark.parametrize(
    ("wish", "script", "voices"),
    [
        (SpeakRequest(""), Script.LATIN, ("en-us",)),
        (SpeakRequest(""), Script.HAN, ("cmn",)),
        (SpeakRequest("", language="yue"), Script.HAN, ("yue",)),
        (SpeakRequest("", language="zh-HK"), Script.HAN, ("yue",)),
        (SpeakRequest("", language="zh"), Script.LATIN, ("en-us",)),
        (SpeakRequest("", name="en-gb"), Script.LATIN, ("en", "en-us")),
        (SpeakRequest("", name="en-gb"), Script.HAN, ("cmn",)),
        (SpeakRequest("", name="yue"), Script.HAN, ("yue", "cmn")),
        (SpeakRequest("", name="yue"), Script.LATIN, ("en-us",)),
        (SpeakRequest("", name="+f3"), Script.HAN, ("cmn+f3", "cmn")),
        (SpeakRequest("", name="en-029+f3"), Script.LATIN, ("en-029+f3", "en-029", "en-us+f3", "en-us")),
    ],
)
def test_the_nearest_voice_is_picked(wish: SpeakRequest, script: Script, voices: tuple[str, ...]) -> None:
    assert voices_for(wish, script) == voices
