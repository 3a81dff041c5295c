"""microWakeWord's models, on words spoken by the built-in voice."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
from tests.engines.test_pocketsphinx import SENTENCES, UNRELATED, recorded

from lumi.engines.base import Wake
from lumi.engines.wake_micro import MicroWake
from lumi.errors import ConfigError, EngineUnavailable
from lumi.testing.wake_conformance import WakeConformance

pytestmark = pytest.mark.real

WORDS = ("okay nabu", "hey mycroft", "alexa")
ALL = "okay nabu, hey_jarvis, hey_mycroft, alexa"


@pytest.fixture(autouse=True, scope="module")
def _spoken() -> None:
    recorded(WORDS)  # outside any loop; kept from then on
    recorded(SENTENCES + UNRELATED)


class TestConformance(WakeConformance):
    def make(self) -> Wake:
        return MicroWake(ALL)

    def words(self) -> list[tuple[bytes, str]]:
        return [(pcm, words.replace(" ", "_")) for pcm, words in zip(recorded(WORDS), WORDS, strict=True)]

    def others(self) -> tuple[bytes, ...]:
        return recorded(SENTENCES + UNRELATED)


def test_wake_words_that_are_none():
    with pytest.raises(
        ConfigError, match="no wake word 'computer'; there are: alexa, hey_jarvis, hey_mycroft"
    ):
        MicroWake("alexa, computer")
    with pytest.raises(ConfigError, match="names no wake word"):
        MicroWake(" , ")
    with pytest.raises(ConfigError, match="threshold: is 1; accepted: from 0 to below 1"):
        MicroWake(threshold=1)


async def test_a_model_of_one_s_own(tmp_path: Path):
    spec = importlib.util.find_spec("pymicro_wakeword")
    assert spec is not None
    folder = Path(spec.origin or "").parent / "models"
    for suffix in ("json", "tflite"):
        shutil.copy(folder / f"alexa.{suffix}", tmp_path)
    suite = TestConformance()
    (sound,) = (pcm for pcm, name in suite.words() if name == "alexa")
    assert await suite.heard(
        MicroWake(str(tmp_path / "alexa.json")), bytes(64_000) + sound + bytes(64_000)
    ) == ["alexa"]
    (tmp_path / "alexa.json").write_text("{}")
    with pytest.raises(EngineUnavailable, match="a model cannot be read"):
        await suite.heard(MicroWake(str(tmp_path / "alexa.json")), bytes(64_000))


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'lumi-assistant\[wake\]'"):
        MicroWake()
