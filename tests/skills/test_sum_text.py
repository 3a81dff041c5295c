from __future__ import annotations

import pytest

from lumi.engines.base import Language
from lumi.skills.sum_text import write
from lumi.skills.sum_words import parse


@pytest.mark.parametrize(
    ("text", "language", "written"),
    [
        ("2+3*4", "en", "2 + 3 × 4"),
        ("(2+3)*4", "en", "(2 + 3) × 4"),
        ("10-(4-5)", "en", "10 - (4 - 5)"),
        ("half of fifty", "en", "half of 50"),
        ("a third of 9", "en", "1/3 of 9"),
        ("20 percent of 50", "en", "20% of 50"),
        ("minus five plus 3", "en", "-5 + 3"),
        ("two to the power of ten", "en", "2 to the power of 10"),
        ("square root of 144 divided by three", "en", "the square root of 144 ÷ 3"),
        ("五的阶乘", "zh", "5 的阶乘"),
        ("3减负5", "zh", "3 - (-5)"),
        ("8的一半", "zh", "8 的一半"),
        ("100的三分之一", "zh", "100 的 1/3"),
        ("根号二", "zh", "2 的平方根"),
        ("2的10次方", "zh", "2 的 10 次方"),
    ],
)
def test_writes_what_was_understood(text: str, language: Language, written: str) -> None:
    tree = parse(text, language)
    assert tree is not None
    assert write(tree, language) == written
