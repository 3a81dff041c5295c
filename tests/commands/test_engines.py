from __future__ import annotations

import importlib.util
import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from tests.commands.screen import AS_JSON, CHINESE, ENGLISH, Screen

from lumi.commands.engines import ZH, engines
from lumi.engines.overview import ENGINES
from lumi.engines.registry import Registry
from lumi.models.library import Installed, Library


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LUMI_DATA_DIR", str(tmp_path))
    return tmp_path


async def rows(screen: Screen, registry: Registry | None = None) -> dict[str, dict[str, object]]:
    assert await engines(AS_JSON, registry) == 0
    return {f"{row['kind']}.{row['name']}": row for row in screen.object()["engines"]}


async def test_what_is_in_use_and_what_is_missing(screen: Screen):
    found = await rows(screen)
    assert found["stt.pocketsphinx"]["in_use"]
    assert found["stt.pocketsphinx"]["missing"] == ""
    assert not found["stt.sherpa"]["in_use"]
    assert found["stt.sherpa"]["missing"] == "lumi models add sense-voice"


async def test_a_fetched_model_makes_it_ready(screen: Screen, place: Path):
    library = Library(place / "models")
    library.workplace("sense-voice").mkdir(parents=True)
    library.complete(Installed("sense-voice", "sherpa", "stt", ("zh",), ()))
    found = await rows(screen)
    assert (found["stt.sherpa"]["missing"], found["stt.sherpa"]["models"]) == ("", ["sense-voice"])
    assert found["tts.sherpa"]["missing"], "it is no voice"


async def test_a_package_that_is_missing_is_named(screen: Screen, monkeypatch: pytest.MonkeyPatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "piper" else real(name))
    found = await rows(screen)
    assert not found["tts.piper"]["installed"]
    assert found["tts.piper"]["missing"] == (
        "pip install 'lumi-assistant[piper]'; lumi models add piper-zh-huayan"
    )


async def test_engines_of_fallbacks_and_tables_are_in_use(
    screen: Screen, place: Path, monkeypatch: pytest.MonkeyPatch
):
    (place / "lumi.toml").write_text(
        f'[stt]\nengine = "pocketsphinx"\nfallback = ["near"]\n'
        f'[engines.near]\nengine = "whisper"\nmodel = "{place}"\n'
    )
    found = await rows(screen)
    assert found["stt.whisper"]["in_use"]
    assert found["stt.pocketsphinx"]["in_use"]


async def test_an_engine_of_the_settings_that_nobody_brings_is_shown_as_missing(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LUMI_TTS__ENGINE", "morse")
    assert await engines(ENGLISH) == 0
    assert re.search(r"✗ tts\.morse\s+→ the settings name it .* change \[tts\]", screen.read()[0])


async def test_somebody_elses_engine_is_told_by_whether_it_loads(screen: Screen):
    registry = Registry(
        [
            EntryPoint("stt.fine", "json:loads", "lumi.engines"),
            EntryPoint("stt.broken", "no_such_module:X", "lumi.engines"),
        ]
    )
    found = await rows(screen, registry)
    assert (found["stt.fine"]["installed"], found["stt.fine"]["missing"]) == (True, "")
    assert not found["stt.broken"]["installed"]
    assert "no_such_module" in str(found["stt.broken"]["missing"])


def test_all_that_the_table_says_is_there_in_chinese():
    words = {word for one in ENGINES for word in (one.pace, one.place, one.needs, one.languages) if word}
    assert {word for word in words if word not in ZH and not re.fullmatch(r"[a-z ]{2,9}", word)} == {
        "zh en ja ko yue (sense-voice); zh en (zipformer-zh-en)"
    }


async def test_people_see_lines_in_their_language(screen: Screen):
    assert await engines(ENGLISH) == 0
    out, err = screen.read()
    assert "● stt.pocketsphinx" in out
    assert "→ lumi models add sense-voice" in out
    assert "in use" in err
    assert out.count("needs base_url or api_key") == 4
    assert await engines(CHINESE) == 0
    out, err = screen.read()
    assert "独立进程" in out
    assert "由服务决定 · 逐段 · 其他程序或机器 · 需要 base_url 或 api_key" in out
    assert "正在使用" in err
