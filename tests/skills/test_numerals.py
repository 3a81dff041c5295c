from __future__ import annotations

from fractions import Fraction

import pytest

from lumi.skills.numerals import literal


@pytest.mark.parametrize(
    ("text", "value"),
    [("17", 17), ("1,234.5", Fraction(2469, 2)), ("-3", -3), (".5", Fraction(1, 2)), ("0", 0), ("007", 7)],
)
def test_reads_digits_exactly(text: str, value: Fraction) -> None:
    assert literal(text) == value


@pytest.mark.parametrize("text", ["", "-", ".", "1.", "1,2", "12,34", "1e5", "one", "9" * 31, "1.2.3", "١٢"])
def test_refuses_what_is_no_number(text: str) -> None:
    assert literal(text) is None
