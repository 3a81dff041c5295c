from __future__ import annotations

import string

import pytest

from lumi.tui import wording
from lumi.tui.wording import Words, quote

ALL = {name: words for name, words in vars(wording).items() if isinstance(words, Words)}


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("name", ALL)
def test_both_languages_say_something_and_have_the_same_blanks(name: str):
    words = ALL[name]
    assert words.zh
    assert words.en
    assert blanks(words.zh) == blanks(words.en)


def test_blanks_are_filled_in_the_language_asked_for():
    assert wording.QUEUE.text("zh", count=3) == "待发 3"
    assert wording.QUEUE.text("en", count=3) == "queue 3"


def test_what_somebody_said_is_not_touched():
    assert quote("a {brace}").text("zh") == quote("a {brace}").text("en") == "a {brace}"
