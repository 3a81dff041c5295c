from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.engines.base import Language
from lumi.skills.arithmetic import evaluate
from lumi.skills.sum_words import parse


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("seventeen times twenty three", "en", 391),
        ("17*23=?", "en", 391),
        ("17 x 23", "en", 391),
        ("2**10", "en", 1024),
        ("twenty-three - five", "en", 18),
        ("1,234 + 1", "en", 1235),
        ("20 percent of 50", "en", 10),
        ("half of 50", "en", 25),
        ("twice 21", "en", 42),
        ("three quarters of 80", "en", 60),
        ("the square root of 144 plus 1", "en", 13),
        ("ten to the power of minus two", "en", Fraction(1, 100)),
        ("negative three plus five", "en", 2),
        ("a hundred take away one", "en", 99),
        ("十七乘二十三", "zh", 391),
        ("3减负5", "zh", 8),
        ("负一加三", "zh", 2),
        ("100的百分之二十", "zh", 20),
        ("百分之十五乘以80", "zh", 12),
        ("3的平方加4的平方", "zh", 25),
        ("2的10次方", "zh", 1024),
        ("2的负一次方", "zh", Fraction(1, 2)),
        ("5的3倍", "zh", 15),
        ("8的一半", "zh", 4),
        ("一百的三分之一乘三", "zh", 100),
        ("(2+3)*4", "zh", 20),
        ("1.5万乘2", "zh", 30_000),
    ],
)
def test_reads_sums(text: str, language: Language, value: Fraction) -> None:
    tree = parse(text, language)
    assert tree is not None
    assert evaluate(tree).number == value


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("what", "en"),
        ("17", "en"),
        ("five apples plus two", "en"),
        ("2024-01-05", "en"),
        ("five plus", "en"),
        ("9" * 40 + " + 1", "en"),
        ("1 + " * 100 + "1", "en"),
        ("1+" * 60 + "1", "en"),
        ("你好", "zh"),
        ("十七", "zh"),
        ("五个苹果加两个", "zh"),
        ("2024-01-05", "zh"),
        ("一加", "zh"),
        ("1+" * 60 + "1", "zh"),
        ("一" * 201, "zh"),
    ],
)
def test_refuses_what_is_no_sum(text: str, language: Language) -> None:
    assert parse(text, language) is None


@given(st.text(max_size=60), st.sampled_from(["en", "zh"]))
def test_no_text_makes_it_stumble(text: str, language: Language) -> None:
    parse(text, language)
