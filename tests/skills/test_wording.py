from __future__ import annotations

import random

import pytest

from lumi.skills.wording import Wording

WORDING = Wording(
    {"one": "Shall I clear your {list}? It has {count}.", "many": ["Hi, {name}!", "Hello, {name}!"]},
    random.Random(1),
)


def test_fills_in_and_picks() -> None:
    assert WORDING.say("one", list="x", count=2) == "Shall I clear your x? It has 2."
    assert {WORDING.say("many", name="Ada") for _ in range(20)} == {"Hi, Ada!", "Hello, Ada!"}
    assert list(WORDING.all("one")) == ["Shall I clear your {list}? It has {count}."]
    assert len(WORDING.all("many")) == 2


def test_knows_its_own_questions_again() -> None:
    assert WORDING.asked("one", "Shall I clear your shopping list? It has 3 items.") == {
        "list": "shopping list",
        "count": "3 items",
    }
    assert WORDING.asked("many", "Hello, Ada!") == {"name": "Ada"}
    assert WORDING.asked("one", "Shall I go?") is None


def test_an_unknown_key_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        WORDING.say("none")
