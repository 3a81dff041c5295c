"""`lumi models`, with a file server on a real socket."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.commands.screen import AS_JSON, CHINESE, ENGLISH, Screen
from tests.models.conftest import FileServer, server

from lumi.commands.models import _bars as progress_shown
from lumi.commands.models import add_model, list_models, remove_model
from lumi.errors import ModelError
from lumi.models.catalogue import Catalogue, Model, ModelFile
from lumi.models.download import Progress

__all__ = ["server"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LUMI_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data" / "models"


@pytest.fixture
def entries(server: FileServer) -> Catalogue:
    server.files["/weights"] = b"weights" * 1000
    files = (ModelFile(f"{server.url}/weights", "model.bin", 7000),)
    model = Model(
        "sherpa", "stt", ("zh", "en"), 1, "MIT", "https://page", "About.", "简介。", files, name="tiny"
    )
    return {"tiny": model}


@pytest.mark.real
async def test_a_model_comes_is_shown_and_goes(screen: Screen, entries: Catalogue, place: Path):
    assert await add_model(ENGLISH, "tiny", entries) == 0
    out, err = screen.read()
    assert f"tiny is in {place / 'tiny'}" in out
    assert "LUMI_STT__ENGINE=sherpa LUMI_STT__MODEL=tiny lumi serve" in out
    assert "pip install 'lumi-assistant[sherpa]'" in out
    assert "licence: MIT" in err
    assert "trusted because it came first" in err
    assert (place / "tiny" / "model.bin").stat().st_size == 7000

    assert await list_models(AS_JSON, entries) == 0
    shown = screen.object()
    assert shown["folder"] == str(place)
    assert [(model["name"], model["installed"]) for model in shown["models"]] == [("tiny", True)]

    assert await remove_model(CHINESE, "tiny") == 0
    assert "tiny 已删除" in screen.read()[0]
    with pytest.raises(ModelError, match="no model 'tiny' here"):
        await remove_model(ENGLISH, "tiny")


@pytest.mark.real
async def test_what_is_here_is_not_fetched_again(screen: Screen, entries: Catalogue, server: FileServer):
    await add_model(ENGLISH, "tiny", entries)
    server.requests.clear()
    screen.read()
    assert await add_model(AS_JSON, "tiny", entries) == 0
    assert screen.object()["settings"] == {"stt": {"engine": "sherpa", "model": "tiny"}}
    assert server.requests == []


async def test_the_catalogue_is_shown_in_the_persons_language(screen: Screen):
    assert await list_models(CHINESE) == 0
    out, err = screen.read()
    assert "sense-voice" in out
    assert "识别普通话" in out
    assert "lumi models add" in err


async def test_an_unknown_model_is_an_error(screen: Screen):
    with pytest.raises(ModelError, match="no model 'nothing'"):
        await add_model(ENGLISH, "nothing")


@pytest.mark.parametrize("wanted", [True, False])
def test_progress_is_shown_on_standard_error(screen: Screen, wanted: bool):
    with progress_shown(wanted) as on_progress:
        on_progress(Progress("model.bin", 1_000_000, 2_000_000))
        on_progress(Progress("model.bin", 2_000_000, 2_000_000))
        on_progress(Progress("tokens.txt", 5, None))
    out, err = screen.read()
    assert out == ""
    assert "model.bin" in err
    assert "tokens.txt" in err
    assert "2.0" in err
