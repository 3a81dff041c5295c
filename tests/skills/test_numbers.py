from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unicode_rbnf import RbnfEngine

from lumi.engines.base import Language
from lumi.skills.numbers import english_at, number_in, whole_in, words_of

SPELLERS = {"en": RbnfEngine.for_language("en"), "zh": RbnfEngine.for_language("zh")}


@given(st.one_of(st.integers(0, 12_000), st.integers(0, 10**12 - 1)), st.sampled_from(["en", "zh"]))
def test_reads_what_unicode_spells(value: int, language: Language) -> None:
    assert number_in(SPELLERS[language].format_number(value).text, language) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twenty three", 23),
        ("Twenty-Three", 23),
        ("one hundred and five", 105),
        ("a hundred and one", 101),
        ("seventeen hundred", 1700),
        ("two thousand and six", 2006),
        ("five hundred thousand", 500_000),
        ("3 million", 3_000_000),
        ("a thousand", 1000),
        ("a dozen", 12),
        ("two dozen", 24),
        ("three point one four", Fraction(157, 50)),
        ("three point oh five", Fraction(61, 20)),
        ("2 point 75", Fraction(11, 4)),
        ("point five", Fraction(1, 2)),
        ("one and a half", Fraction(3, 2)),
        ("2 and three quarters", Fraction(11, 4)),
        ("half", Fraction(1, 2)),
        ("a quarter", Fraction(1, 4)),
        ("two thirds", Fraction(2, 3)),
        ("1/2", Fraction(1, 2)),
        ("minus five", -5),
        ("negative one hundred", -100),
        ("zero", 0),
    ],
)
def test_reads_english(text: str, value: Fraction) -> None:
    assert number_in(text, "en") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "and",
        "eight thirty",
        "twenty zero",
        "one two",
        "hundred",
        "point",
        "five point",
        "minus",
        "1/0",
        "what",
    ],
)
def test_refuses_what_is_not_one_english_number(text: str) -> None:
    assert number_in(text, "en") is None


def test_reads_a_number_in_the_middle() -> None:
    assert english_at(words_of("add twenty three and four"), 1) == (Fraction(23), 3)
    assert english_at(["half", "a", "mile"], 0) == (Fraction(1, 2), 2)
    assert english_at([], 0) is None
    assert english_at(["one", "hundred", "zero"], 0) == (Fraction(100), 2)


def test_whole_numbers_only() -> None:
    assert whole_in("twelve", "en") == 12
    assert whole_in("十二", "zh") == 12
    assert whole_in("one and a half", "en") is None
    assert whole_in("x", "en") is None
