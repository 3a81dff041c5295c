"""Engines are found by name, ours and other people's."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lumi.engines import registry
from lumi.engines.espeak import EspeakTts
from lumi.engines.registry import GROUP, Registry
from lumi.errors import ConfigError, EngineUnavailable


class Parrot:
    def __init__(self, words: int = 1) -> None:
        if words < 0:
            len(words)  # type: ignore[arg-type]
        self.words = words


@pytest.fixture
def birds(monkeypatch: pytest.MonkeyPatch) -> Registry:
    module: Any = ModuleType("birds")
    module.Parrot = Parrot
    monkeypatch.setitem(sys.modules, "birds", module)
    named = {
        "tts.parrot": "birds:Parrot",
        "tts.auk": "extinct_birds:Auk",
        "tts.dodo": "birds:Dodo",
        "stt.owl": "birds:Parrot",
    }
    return Registry([EntryPoint(name, value, GROUP) for name, value in named.items()])


def test_what_is_available_by_kind(birds: Registry) -> None:
    assert birds.available("tts") == ("auk", "dodo", "parrot")
    assert birds.available("stt") == ("owl",)
    assert birds.available("llm") == ()


def test_makes_an_engine_with_its_arguments(birds: Registry) -> None:
    assert birds.create("tts", "parrot").words == 1
    assert birds.create("tts", "parrot", {"words": 5}).words == 5


def test_the_first_of_two_with_one_name_counts() -> None:
    both = Registry(
        [EntryPoint("tts.a", "builtins:list", GROUP), EntryPoint("tts.a", "builtins:dict", GROUP)]
    )
    assert both.create("tts", "a") == []


@pytest.mark.parametrize(
    ("kind", "name", "arguments", "problem"),
    [
        ("tts", "toucan", {}, r"^tts\.engine: there is no engine 'toucan'; there are: auk, dodo, parrot$"),
        ("llm", "toucan", {}, "there are: none is installed"),
        ("beak", "parrot", {}, "'beak' is none; there are: vad, stt, llm, tts"),
        ("tts", "parrot", {"colour": "red"}, r"^tts\.parrot: does not take these settings: .*'colour'"),
    ],
)
def test_wrong_settings_are_named(
    birds: Registry, kind: str, name: str, arguments: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        birds.create(kind, name, arguments)


def test_an_unknown_kind_has_no_engines(birds: Registry) -> None:
    with pytest.raises(ConfigError, match="'beak' is none"):
        birds.available("beak")


def test_an_engine_that_lacks_something_says_what_to_install(birds: Registry) -> None:
    with pytest.raises(
        EngineUnavailable, match=r"No module named 'extinct_birds'; .*pip install 'lumi-assistant\[server\]'"
    ):
        birds.create("tts", "auk")
    with pytest.raises(EngineUnavailable, match="does not have"):
        birds.create("tts", "dodo")


def test_an_engine_s_own_mistake_is_not_the_settings_fault(birds: Registry) -> None:
    with pytest.raises(TypeError, match="has no len"):
        birds.create("tts", "parrot", {"words": -1})


def test_packages_are_looked_through_once_while_none_comes_or_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def look(*, group: str) -> tuple[EntryPoint, ...]:
        looked.append(group)
        return (EntryPoint("llm.skills", "builtins:dict", group),)

    registry._registry.cache_clear()
    monkeypatch.setattr(metadata, "entry_points", look)
    try:
        assert registry.available("llm") == ("skills",)
        assert registry.available("tts") == ()
        assert registry.create("llm", "skills", {"a": 1}) == {"a": 1}
    finally:
        registry._registry.cache_clear()
    assert looked == [GROUP]


def test_a_package_that_came_meanwhile_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "dodo" not in registry.available("tts")
    described = tmp_path / "dodo-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: dodo\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("[lumi.engines]\ntts.dodo = dodo:Dodo\n")
    os.utime(tmp_path, ns=(1, 1))  # a clock too coarse to tell the two apart
    assert "dodo" in registry.available("tts")


def test_ours_are_installed() -> None:
    assert {
        kind: set(registry.available(kind)) & {"silero", "pocketsphinx", "skills", "espeak"}
        for kind in ("vad", "stt", "llm", "tts")
    } == {
        "vad": {"silero"},
        "stt": {"pocketsphinx"},
        "llm": {"skills"},
        "tts": {"espeak"},
    }
    assert isinstance(registry.create("tts", "espeak", {"workers": 2}), EspeakTts)
