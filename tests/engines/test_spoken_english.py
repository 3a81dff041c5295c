"""What the English voice would read wrongly is written out."""

from __future__ import annotations

import pytest

from lumi.engines.spoken_english import english, ordinal, year


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("it is 3:05", "it is 3 oh 5"),
        ("at 10:00", "at 10 o'clock"),
        ("at 10:00 pm", "at 10 p m"),
        ("at 7:30 a.m.", "at 7 30 a m"),
        ("at 23:59", "at 23 59"),
        ("odds of 25:61", "odds of 25:61"),
        ("2025-11-22", "November 22nd, 20 25"),
        ("in 1905 and since 2007", "in 19 oh 5 and since 2007"),
        ("May 5, 1999", "May 5, 19 99"),
        ("in May 1999", "in May 19 99"),
        ("in 1900", "in 19 hundred"),
        ("in 2000 steps", "in 2000 steps"),
        ("the 1990s, the 80s", "the 19 nineties, the eighties"),
        ("$3.50 or $5 or $1", "3 dollars 50 or 5 dollars or 1 dollar"),
        ("€2 million", "2 million euros"),
        ("21°C", "21 degrees Celsius"),
        ("-1°F", "-1 degree Fahrenheit"),
        ("1°", "1 degree"),
        ("45%", "45 percent"),
        ("5 km/h, 1 km, 20 cm", "5 kilometres per hour, 1 kilometre, 20 centimetres"),
        ("17 × 23 = 391", "17 times 23 equals 391"),
        ("8 / 2 = 4", "8 divided by 2 equals 4"),
        ("5-3=2", "5 minus 3 equals 2"),
        ("3-5 days", "3 to 5 days"),
        ("salt & pepper", "salt and pepper"),
        ("tea — or coffee", "tea, or coffee"),
        ("13800138000", "1 3 8 0 0 1 3 8 0 0 0"),
        ("1,234,567 people", "1,234,567 people"),
        ("nothing to do", "nothing to do"),
    ],
)
def test_english(text: str, spoken: str) -> None:
    assert " ".join(english(text).split()) == spoken


def test_years_and_ordinals() -> None:
    assert [year(number) for number in ("1984", "1905", "1900", "2007", "2025")] == [
        "19 84", "19 oh 5", "19 hundred", "2007", "20 25",
    ]  # fmt: skip
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd",
    ]  # fmt: skip
