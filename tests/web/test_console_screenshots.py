"""The console's sheets in the docs: every part, in every look."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.web.console_scenes import SCENES
from tests.web.console_screenshots import picture, sheet, sheet_picture
from tests.web.scenes import LOOKS, Look

DOCS = Path(__file__).parents[2] / "docs"
MAIN = Path(__file__).parents[2] / "src" / "lumi" / "web" / "console" / "main.js"


def test_every_part_is_drawn():
    declared = re.search(r"const PARTS = {([^}]+)}", MAIN.read_text(encoding="utf-8"))
    assert declared is not None
    assert {part for part, _ in SCENES.values()} == set(re.findall(r"\w+", declared[1]))


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_sheet_leaves_out_no_scene(tmp_path: Path, look: Look):
    for scene in SCENES:
        (tmp_path / picture(scene, look)).write_bytes(b"")
    assert re.findall(r'data-name="([^"]+)"', sheet(look, tmp_path)) == list(SCENES)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_docs_keep_and_show_every_sheet(look: Look):
    assert f"](images/{sheet_picture(look)})" in (DOCS / "console.md").read_text(encoding="utf-8")
    kept = (DOCS / "images" / sheet_picture(look)).read_bytes()
    assert (kept[:4], kept[8:12]) == (b"RIFF", b"WEBP")


def test_the_pictures_stay_small():
    assert sum(path.stat().st_size for path in (DOCS / "images").glob("console-*")) < 1_300_000
