from __future__ import annotations

from pathlib import Path

import pytest

from lumi.engines.model_folder import all_of, first, model_folder, need_package
from lumi.errors import EngineUnavailable


def test_a_folder_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "voice").mkdir()
    assert model_folder("piper", "~/voice", "piper-zh-huayan") == tmp_path / "voice"


@pytest.mark.parametrize(("model", "said"), [("", "has no model"), ("/nowhere/at/all", "is no folder")])
def test_no_folder_says_how_to_get_one(model: str, said: str):
    with pytest.raises(EngineUnavailable, match=rf"{said}.*lumi models add sense-voice"):
        model_folder("sherpa", model, "sense-voice")


def test_a_missing_package_names_the_extra():
    need_package("sherpa", "json")
    with pytest.raises(EngineUnavailable, match=r"pip install 'lumi-assistant\[sherpa\]'"):
        need_package("sherpa", "no_such_package")


def test_files_are_found_by_the_first_pattern_that_fits(tmp_path: Path):
    for name in ("b.onnx", "a.onnx", "a.int8.onnx", "x.fst", "y.fst"):
        (tmp_path / name).write_text("")
    assert first(tmp_path, "*.int8.onnx", "*.onnx") == str(tmp_path / "a.int8.onnx")
    assert first(tmp_path, "*.bin", "[!x].onnx") == str(tmp_path / "a.onnx")
    assert first(tmp_path, "*.bin") == ""
    assert all_of(tmp_path, "*.fst") == f"{tmp_path / 'x.fst'},{tmp_path / 'y.fst'}"
