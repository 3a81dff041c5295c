"""Figures as they are said in Mandarin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.engines.spoken_chinese import DIGITS, cardinal, chinese

_VALUES = {"十": 10, "百": 100, "千": 1000}


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "零"), (2, "二"), (10, "十"), (12, "十二"), (20, "二十"), (101, "一百零一"), (110, "一百一十"),
        (200, "两百"), (222, "两百二十二"), (1000, "一千"), (1010, "一千零一十"), (2000, "两千"), (2200, "两千二百"),
        (10_000, "一万"), (20_005, "两万零五"), (100_000, "十万"), (120_000, "十二万"), (100_500, "十万零五百"),
        (1_000_000, "一百万"), (100_000_000, "一亿"), (100_000_001, "一亿零一"), (200_020_000, "两亿零二万"),
    ],
)  # fmt: skip
def test_cardinals(number: int, said: str) -> None:
    if number == 200_020_000:
        assert cardinal(number) in {said, "两亿零两万"}
    else:
        assert cardinal(number) == said


def value(said: str) -> int:
    """Back again."""
    total = section = digit = 0
    for character in said.replace("两", "二").replace("零", ""):
        if character in DIGITS:
            digit = DIGITS.index(character)
        elif character in _VALUES:
            section += (digit or 1) * _VALUES[character]
            digit = 0
        else:
            scale = {"万": 10**4, "亿": 10**8}[character]
            section += digit
            total = (total + section) * scale if scale == 10**8 else total + section * scale
            section = digit = 0
    return total + section + digit


@given(st.integers(0, 10**12 - 1))
def test_a_cardinal_means_its_number(number: int) -> None:
    said = cardinal(number)
    assert value(said) == number, said
    assert "零零" not in said
    assert number == 0 or not said.endswith("零")


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("2025年11月22日", "二零二五年十一月二十二日"),
        ("2025-11-22", "二零二五年十一月二十二日"),
        ("1500年前", "一千五百年前"),
        ("现在是15:05", "现在是十五点零五分"),
        ("3:05", "三点零五分"),
        ("2:00", "两点整"),
        ("10:30:07", "十点三十分七秒"),
        ("湿度45%", "湿度百分之四十五"),
        ("气温-5°C到21°C", "气温零下五摄氏度到二十一摄氏度"),
        ("水温30°", "水温三十度"),
        ("¥3.50", "三点五零元"),
        ("$20", "二十美元"),
        ("1/2", "二分之一"),
        ("3~5天", "三到五天"),
        ("3-5天", "三到五天"),
        ("5-3=2", "五减三等于二"),
        ("17 × 23 = 391", "十七乘以二十三等于三百九十一"),
        ("2个苹果，12个梨，第2个", "两个苹果，十二个梨，第二个"),
        ("2公里和2 km", "两公里和两公里"),
        ("5 km/h", "五公里每小时"),
        ("1,234,567", "一百二十三万四千五百六十七"),
        ("-3", "负三"),
        ("3.14", "三点一四"),
        ("007", "零零七"),
        ("13800138000", "一三八零零一三八零零零"),
        ("没有数字", "没有数字"),
    ],
)
def test_chinese(text: str, spoken: str) -> None:
    assert chinese(text) == spoken


@given(st.text(alphabet="0123456789.,:-/%°C年月个 ", max_size=30))
def test_no_figure_is_left(text: str) -> None:
    assert not any(character in "0123456789" for character in chinese(text))
