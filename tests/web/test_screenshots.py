"""The sheets in the docs: every state and every situation, in every look."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from tests.web.scenes import LOOKS, SCENES, STATES
from tests.web.screenshots import scene_picture, sheet, sheet_picture, state_picture

from lumi.client.state_machine import Phase

DOCS = Path(__file__).parents[2] / "docs"


def test_every_look_is_drawn():
    shown = {(look.size, look.scheme, look.language) for look in LOOKS}
    assert shown == set(product(("phone", "desktop"), ("light", "dark"), ("en", "zh")))


def test_the_badge_is_led_to_every_state():
    reached = {phase: steps[-1]["state"] if steps else "initial" for phase, steps in STATES.items()}
    assert reached == {phase: phase.value for phase in Phase}


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_sheet_leaves_out_no_state_and_no_situation(tmp_path, look):
    states = [state_picture(phase, look) for phase in Phase]
    for name in [*states, *(scene_picture(scene, look) for scene in SCENES)]:
        (tmp_path / name).write_bytes(b"")
    shown = re.findall(r'data-name="([^"]+)"', sheet(look, tmp_path))
    assert shown == [phase.value for phase in Phase] + list(SCENES)
    (tmp_path / states[-1]).unlink()
    with pytest.raises(FileNotFoundError):
        sheet(look, tmp_path)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_docs_keep_and_show_every_sheet(look):
    assert f"](images/{sheet_picture(look)})" in (DOCS / "page.md").read_text(encoding="utf-8")
    kept = (DOCS / "images" / sheet_picture(look)).read_bytes()
    assert (kept[:4], kept[8:12]) == (b"RIFF", b"WEBP")


def test_the_sheets_stay_small():
    assert sum((DOCS / "images" / sheet_picture(look)).stat().st_size for look in LOOKS) < 1_600_000
