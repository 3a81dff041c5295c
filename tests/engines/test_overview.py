from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from lumi.engines.overview import BEGIN, ENGINES, known, with_table
from lumi.engines.registry import KINDS
from lumi.models.catalogue import catalogue

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"
OURS = {
    point.name for point in metadata.entry_points(group="lumi.engines") if point.dist and point.dist.name == "lumi-assistant"
}  # fmt: skip
WITHOUT_A_SUITE = {"vad.silero", "wake.wyoming"}


def test_every_engine_of_ours_has_its_row():
    rows = {one.key for one in ENGINES}
    assert rows == OURS, "mend the rows of lumi/engines/overview.py, then: make docs"
    assert len(rows) == len(ENGINES)
    assert {one.kind for one in ENGINES} <= set(KINDS)


def test_the_page_has_the_table_as_it_is():
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page) == page, "run: make docs"
    assert all(f"`{one.name}`" in page for one in ENGINES)


def test_every_engine_is_tested_where_its_row_says():
    for one in ENGINES:
        tests = (PAGE.parents[1] / one.test_file).read_text(encoding="utf-8")
        assert "Conformance)" in tests or one.key in WITHOUT_A_SUITE, one.key


def test_every_page_on_engines_is_reached_from_it():
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"]({other.name}" in page for other in PAGE.parent.glob("engines-*.md"))


def test_models_to_begin_with_are_in_the_catalogue():
    for one in ENGINES:
        if one.model:
            model = catalogue()[one.model]
            assert (model.kind, model.engine) == (one.kind, one.name)


def test_only_our_own_engines_are_known():
    sherpa = known("stt", "sherpa")
    assert sherpa
    assert sherpa.install == "pip install 'lumi-assistant[sherpa]'"
    assert known("stt", "morse") is None


def test_a_page_without_its_marks_is_left_alone():
    with pytest.raises(ValueError, match="no place"):
        with_table(f"# Engines\n{BEGIN}")
