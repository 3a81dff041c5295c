from __future__ import annotations

import pytest

from lumi.engines.base import Language
from lumi.skills.language import SIMPLIFY, language_of, tidy, without_courtesies


@pytest.mark.parametrize(
    ("text", "preferred", "language"),
    [
        ("what time is it", "zh", "en"),
        ("现在几点", "en", "zh"),
        ("set a timer 五分钟", "en", "zh"),
        ("17*23", "en", "en"),
        ("17*23", "zh-CN", "zh"),
        ("?!", "", "en"),
    ],
)
def test_goes_by_the_script_and_else_by_preference(text: str, preferred: str, language: Language) -> None:
    assert language_of(text, preferred) == language


@pytest.mark.parametrize(
    ("text", "language", "even"),
    [
        ("  What’s the time ?", "en", "what is the time"),
        ("Don't stop.", "en", "do not stop"),
        ("I cannot hear you", "en", "I can not hear you"),
        ("My name is Ada…", "en", "My name is Ada"),
        ("１７×２３＝？", "zh", "17×23="),
        ("现在 几点 了？", "zh", "现在几点了"),
        ("“你好”", "zh", "你好"),
    ],
)
def test_makes_spelling_even(text: str, language: Language, even: str) -> None:
    assert tidy(text, language) == even


@pytest.mark.parametrize(
    ("text", "language", "bare"),
    [
        ("could you please tell me the time", "en", "tell me the time"),
        ("hey Lumi, what time is it please", "en", "what time is it"),
        ("can you hear me", "en", "can you hear me"),
        ("please", "en", "please"),
        ("please add bread", "en", "add bread"),
        ("请问现在几点", "zh", "现在几点"),
        ("麻烦你帮我设一个计时器好吗", "zh", "设一个计时器"),
        ("Lumi,现在几点", "zh", "现在几点"),
        ("你好", "zh", "你好"),
    ],
)
def test_takes_courtesies_off(text: str, language: Language, bare: str) -> None:
    assert without_courtesies(text, language) == bare


def test_simplifying_keeps_the_length() -> None:
    assert "東京現在幾點".translate(SIMPLIFY) == "东京现在几点"
    assert all(len(new) == 1 for new in SIMPLIFY.values())
