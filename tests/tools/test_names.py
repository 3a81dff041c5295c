from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from lumi.tools.names import full_name, in_words, offered_names


def test_a_name_a_model_may_call():
    names = ["home.turn_on", "lumi.set_timer", "x" * 80]
    offered = offered_names(names)
    assert [offered[name] for name in names[:2]] == ["home_turn_on", "lumi_set_timer"]
    assert len(offered["x" * 80]) == 64
    assert offered_names(names) == offered


def test_two_that_would_be_alike_are_told_apart():
    names = offered_names(["a.b_c", "a_b.c"])
    assert len(set(names.values())) == 2


@given(st.lists(st.text(max_size=100), unique=True, max_size=20))
def test_whatever_they_are_called_they_are_fit_and_told_apart(names: list[str]):
    offered = offered_names(names)
    assert len(set(offered.values())) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in offered.values())


def test_the_source_stands_first():
    assert full_name("home", "turn_on") == "home.turn_on"
    assert full_name("", "turn_on") == "turn_on"


def test_a_name_in_words():
    assert in_words("unlock_door") == "unlock door"
    assert in_words("unlockDoor") == "unlock door"
    assert in_words("self.light.set_rgb") == "self light set rgb"
    assert in_words("…") == "…"
