from __future__ import annotations

from pathlib import Path

import pytest

from lumi.engines.sherpa_models import recogniser_files, voice_files
from lumi.errors import EngineUnavailable


def folder(place: Path, *names: str) -> Path:
    for name in names:
        (place / name).write_text("")
    return place


def names(files: dict[str, str] | object) -> dict[str, str]:
    assert isinstance(files, dict)
    return {key: ",".join(Path(part).name for part in value.split(",")) for key, value in files.items()}


def test_a_transducer_is_known_by_its_encoder(tmp_path: Path):
    place = folder(
        tmp_path,
        "encoder-epoch-99-avg-1.onnx",
        "encoder-epoch-99-avg-1.int8.onnx",
        "decoder-epoch-99-avg-1.int8.onnx",
        "decoder-epoch-99-avg-1.onnx",
        "joiner-epoch-99-avg-1.int8.onnx",
        "tokens.txt",
    )
    assert names(recogniser_files(place)) == {
        "type": "transducer",
        "encoder": "encoder-epoch-99-avg-1.int8.onnx",
        "decoder": "decoder-epoch-99-avg-1.onnx",
        "joiner": "joiner-epoch-99-avg-1.int8.onnx",
        "tokens": "tokens.txt",
    }


def test_sense_voice_has_one_model(tmp_path: Path):
    place = folder(tmp_path, "model.onnx", "model.int8.onnx", "tokens.txt")
    assert names(recogniser_files(place))["model"] == "model.int8.onnx"


def test_kokoro_is_known_by_its_voices(tmp_path: Path):
    place = folder(
        tmp_path,
        "model.onnx",
        "voices.bin",
        "tokens.txt",
        "lexicon-us-en.txt",
        "lexicon-zh.txt",
        "date-zh.fst",
    )
    found = names(voice_files(place))
    assert found["type"] == "kokoro"
    assert found["lexicon"] == "lexicon-us-en.txt,lexicon-zh.txt"
    assert found["rule_fsts"] == "date-zh.fst"


def test_the_full_graph_of_a_voice_is_taken(tmp_path: Path):
    place = folder(tmp_path, "vits-aishell3.int8.onnx", "vits-aishell3.onnx", "tokens.txt", "lexicon.txt")
    assert names(voice_files(place))["model"] == "vits-aishell3.onnx"


def test_what_is_missing_is_named(tmp_path: Path):
    with pytest.raises(EngineUnavailable, match=r"transducer has \(decoder, joiner\)"):
        recogniser_files(folder(tmp_path, "encoder.onnx", "tokens.txt"))
