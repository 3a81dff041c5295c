from __future__ import annotations

from fractions import Fraction

import pytest

from lumi.engines.base import Language
from lumi.skills.figures import Figure, figure, plain


@pytest.mark.parametrize(
    ("value", "language", "shown"),
    [
        (Fraction(391), "en", Figure("391")),
        (Fraction(5, 2), "en", Figure("2.5")),
        (Fraction(1, 3), "en", Figure("0.333333", exact=False)),
        (Fraction(-2, 3), "zh", Figure("-0.666667", exact=False)),
        (Fraction(1024), "en", Figure("1024")),
        (Fraction(12345), "en", Figure("12,345")),
        (Fraction(12345), "zh", Figure("12345")),
        (Fraction(10**8) + Fraction(1, 3), "zh", Figure("100000000", exact=False)),
        (Fraction(10**20), "zh", Figure("1" + "0" * 20)),
        (Fraction(2) ** 100, "en", Figure("1.26765 × 10 to the power of 30", exact=False)),
        (Fraction(10) ** 100, "zh", Figure("10 的 100 次方")),
        (Fraction(5) * 10**30, "en", Figure("5 × 10 to the power of 30")),
        (Fraction(1, 3 * 10**12), "en", Figure("3.33333 × 10 to the power of -13", exact=False)),
        (Fraction(0), "en", Figure("0")),
    ],
)
def test_shows_numbers_in_digits(value: Fraction, language: Language, shown: Figure) -> None:
    assert figure(value, language) == shown
    assert plain(value, language) == shown.text
