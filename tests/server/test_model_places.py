from __future__ import annotations

from pathlib import Path

import pytest

from lumi.errors import ConfigError, EngineUnavailable
from lumi.models.library import Installed, Library
from lumi.server.model_places import with_model


@pytest.fixture
def here(tmp_path: Path) -> Path:
    library = Library(tmp_path / "models")
    library.workplace("sense-voice").mkdir(parents=True)
    library.complete(Installed("sense-voice", "sherpa", "stt", ("zh", "en"), ()))
    return tmp_path


def test_a_name_becomes_a_folder_with_its_languages(here: Path):
    assert with_model("stt", "sherpa", {"model": "sense-voice", "threads": 4}, here) == {
        "model": str(here / "models" / "sense-voice"),
        "languages": ("zh", "en"),
        "threads": 4,
    }


def test_languages_that_were_set_stay(here: Path):
    given = {"model": "sense-voice", "languages": ["yue"]}
    assert with_model("stt", "sherpa", given, here)["languages"] == ["yue"]


def test_folders_other_engines_and_no_model_are_left_alone(here: Path):
    for engine, given in (
        ("openai", {"model": "sense-voice"}),
        ("sherpa", {}),
        ("whisper", {"model": str(here)}),
    ):
        assert with_model("stt", engine, given, here) == given


def test_a_model_that_is_not_here_says_how_to_fetch_it(tmp_path: Path):
    with pytest.raises(EngineUnavailable, match="lumi models add whisper-tiny"):
        with_model("stt", "whisper", {"model": "whisper-tiny"}, tmp_path)


def test_a_model_that_nobody_knows_is_a_mistake_in_the_settings(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"stt\.model: 'whisper-huge' is neither a folder"):
        with_model("stt", "whisper", {"model": "whisper-huge"}, tmp_path)


def test_a_model_of_another_engine_names_its_own(here: Path):
    with pytest.raises(ConfigError, match=r"is for stt\.engine = .sherpa., not for stt\.engine = .whisper."):
        with_model("stt", "whisper", {"model": "sense-voice"}, here)
    with pytest.raises(ConfigError, match=r"not for tts\.engine"):
        with_model("tts", "sherpa", {"model": "sense-voice"}, here)


def test_that_is_said_before_one_fetches_it_in_vain(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"is for stt\.engine = .sherpa."):
        with_model("stt", "whisper", {"model": "sense-voice"}, tmp_path)
