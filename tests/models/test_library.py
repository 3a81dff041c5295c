from __future__ import annotations

from pathlib import Path

import pytest

from lumi.errors import ModelError
from lumi.models.library import Installed, Kept, Library

KEPT = Kept("https://example.org/a", 4, "abcd", vouched=False)
MODEL = Installed("tiny", "whisper", "stt", ("en",), (KEPT,))


def put(library: Library, model: Installed = MODEL, content: bytes = b"1234") -> Path:
    workplace = library.workplace(model.name)
    workplace.mkdir(parents=True)
    (workplace / "a").write_bytes(content)
    return library.complete(model)


def test_an_empty_place_holds_nothing(tmp_path: Path):
    library = Library(tmp_path / "none")
    assert (library.installed(), library.find("tiny"), library.seen()) == ((), None, {})


def test_a_completed_model_is_found_again(tmp_path: Path):
    library = Library(tmp_path)
    folder = put(library)
    assert folder == tmp_path / "tiny"
    assert Library(tmp_path).installed() == (MODEL,)
    assert (folder / "a").read_bytes() == b"1234"


def test_a_model_takes_the_place_of_the_one_before(tmp_path: Path):
    library = Library(tmp_path)
    put(library)
    put(library, content=b"new")
    assert (tmp_path / "tiny" / "a").read_bytes() == b"new"


def test_a_broken_note_is_no_model(tmp_path: Path):
    library = Library(tmp_path)
    (put(library) / "lumi-model.json").write_text("{")
    assert library.installed() == ()


def test_removing_frees_room_and_remembers_what_was_seen(tmp_path: Path):
    library = Library(tmp_path)
    put(library)
    half = library.workplace("tiny")
    half.mkdir()
    (half / "b.part").write_bytes(b"12")
    assert library.remove("tiny") > 6
    assert library.installed() == ()
    assert not half.exists()
    assert library.seen() == {"https://example.org/a": "abcd"}


@pytest.mark.parametrize("name", ["small", "..", ".fetching", "../tiny", ""])
def test_what_is_not_here_cannot_be_removed(name: str, tmp_path: Path):
    library = Library(tmp_path / "models")
    put(library)
    with pytest.raises(ModelError, match=r"there are: tiny"):
        library.remove(name)
    assert library.installed() == (MODEL,)
