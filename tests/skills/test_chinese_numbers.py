from __future__ import annotations

import re
from fractions import Fraction

import pytest

from lumi.skills.chinese_numbers import NUMBER_ZH, chinese


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("十", 10),
        ("十七", 17),
        ("二十", 20),
        ("一百二", 120),
        ("一百零二", 102),
        ("三千五", 3500),
        ("一万二", 12_000),
        ("一万零五十", 10_050),
        ("两万五千", 25_000),
        ("一亿三千万", 130_000_000),
        ("一百二十三万四千五百六十七", 1_234_567),
        ("二零二五", 2025),
        ("两百", 200),
        ("3万", 30_000),
        ("1.5亿", 150_000_000),
        ("三点五万", 35_000),
        ("三点一四", Fraction(157, 50)),
        ("百分之五", Fraction(1, 20)),
        ("百分之十二点五", Fraction(1, 8)),
        ("三分之二", Fraction(2, 3)),
        ("负五", -5),
        ("-5", -5),
        ("1,234.5", Fraction(2469, 2)),
        ("零", 0),
    ],
)
def test_reads_exactly(text: str, value: Fraction) -> None:
    assert chinese(text) == value
    assert re.fullmatch(NUMBER_ZH, text) or text == "三点五万"


@pytest.mark.parametrize(
    "text",
    ["", "万", "你好", "零分之一", "一分之", "三点", "三点千", "亿一", "一" * 31, "负", "一百你", "1十x"],
)
def test_refuses_what_is_no_number(text: str) -> None:
    assert chinese(text) is None
