"""From what is shown to what is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.engines.spoken_text import (
    LONGEST_CLAUSE,
    Script,
    Utterance,
    clauses,
    runs,
    utterances,
    without_markup,
)

HAN, LATIN = Script.HAN, Script.LATIN


def said(text: str, language: str = "") -> list[tuple[str, Script]]:
    return [(utterance.text, utterance.script) for utterance in utterances(text, language)]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("**bold** and _thin_ and `code`", "bold and thin and code"),
        ("see [the page](https://example.com/a?b=c)", "see the page"),
        ("![a cat](cat.png)", "a cat"),
        ("at https://www.example.com/a/b?c=d.", "at example.com"),
        ("<b>bold</b>", "bold"),
        ("# Title\n- one\n* two\n> three", "Title\none\ntwo\nthree"),
        ("```python\nprint()\n```", "print()"),
        ("hi 😀👍🏽 there", "hi there"),
        ("snake_case stays", "snake_case stays"),
        ("２０２５ＡＢ％", "2025AB%"),
        ("21℃", "21°C"),
        ("a | b", "a b"),
    ],
)
def test_markup_is_not_spoken(text: str, plain: str) -> None:
    lines = [" ".join(line.split()) for line in without_markup(text).splitlines()]
    assert [line for line in lines if line] == plain.splitlines()


@pytest.mark.parametrize("text", ["", " ", "...", "?!", "😀🎉", "—", "***", "\n\n", "<br>", "。", "~#"])
def test_nothing_to_pronounce_is_nothing(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    ("text", "utterance"),
    [
        ("Hello there! How are you?", [("Hello there!", LATIN), ("How are you?", LATIN)]),
        ("你好！现在几点？", [("你好！", HAN), ("现在几点？", HAN)]),
        ("OK，用 WiFi 吧", [("OK，用 WiFi 吧", HAN)]),
        (
            "我想听 the long and winding road 这首歌",
            [("我想听", HAN), ("the long and winding road", LATIN), ("这首歌", HAN)],
        ),
        ("17 × 23 = 391", [("17 times 23 equals 391", LATIN)]),
        ("17 × 23 = 391。", [("十七乘以二十三等于三百九十一。", HAN)]),
        ("It is 3.14, e.g. now", [("It is 3.14, for example now", LATIN)]),
        (
            "At 7 a.m. Dr. Who, vs. No. 5. Then",
            [("At 7 a.m. Dr. Who, versus No. 5.", LATIN), ("Then", LATIN)],
        ),
        ("版本 2", [("版本 二", HAN)]),
    ],
)
def test_clauses_in_their_scripts(text: str, utterance: list[tuple[str, Script]]) -> None:
    assert said(text) == utterance


def test_a_clause_of_digits_follows_the_language() -> None:
    assert said("391") == [("391", LATIN)]
    for language in ("zh", "zh-CN", "cmn", "yue"):
        assert said("391", language) == [("三百九十一", HAN)]


def test_a_run_keeps_digits_and_signs_with_what_is_before_them() -> None:
    assert list(runs("one two three four 5, 六七", LATIN)) == [
        Utterance("one two three four 5, ", LATIN),
        Utterance("六七", HAN),
    ]
    assert list(runs("(5) 六", LATIN)) == [Utterance("(5) 六", HAN)]


def test_long_sentences_are_cut_at_commas_then_spaces_then_anywhere() -> None:
    comma = "word " * 20 + "word, " + "word " * 30
    parts = list(clauses(comma))
    assert parts[0].endswith(",")
    assert all(len(part) <= LONGEST_CLAUSE for part in parts)
    assert list(clauses("x" * 250)) == ["x" * 120, "x" * 120, "x" * 10]
    assert list(clauses("好" * 100 + "，" + "好" * 100)) == ["好" * 100 + "，", "好" * 100]


@given(st.text(max_size=400), st.sampled_from(["", "zh", "en"]))
def test_any_text_becomes_short_utterances_with_something_to_say(text: str, language: str) -> None:
    for utterance in utterances(text, language):
        assert any(character.isalnum() for character in utterance.text)
        assert "\n" not in utterance.text


@given(st.text(alphabet="abc ,.", max_size=600))
def test_cutting_loses_no_word(text: str) -> None:
    assert "".join("".join(clauses(text)).split()) == "".join(text.split())
