"""Chinese numbers, read exactly: `十七`, `一百二`, `三点一四`, `百分之五`, `三分之二`, `3万`."""

from __future__ import annotations

import re
from fractions import Fraction

from lumi.skills.numerals import MAX_DIGITS, literal

DIGITS_ZH = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2}
_SMALL_ZH = {"十": 10, "百": 100, "千": 1000}
_LARGE_ZH = {"万": 10**4, "亿": 10**8}
CHARS_ZH = "".join(DIGITS_ZH) + "".join(_SMALL_ZH) + "".join(_LARGE_ZH)
_DECIMAL_ZH = f"[0-9{CHARS_ZH}]+(?:,[0-9]{{3}})*(?:[.点][0-9{''.join(DIGITS_ZH)}]+)?[{''.join(_LARGE_ZH)}]?"
NUMBER_ZH = rf"(?:百分之|千分之)?[负-]?(?:{_DECIMAL_ZH})(?:分之{_DECIMAL_ZH})?"
"""A regular expression for one number in a Chinese text."""
_MIXED_ZH = re.compile(rf"([0-9,]+(?:[.点][0-9]+)?)([{''.join(_SMALL_ZH)}{''.join(_LARGE_ZH)}]{{1,2}})$")


def chinese(text: str) -> Fraction | None:
    """A whole Chinese number: `十七`, `一百二`, `三点一四`, `百分之五`, `三分之二`, `3万`, `17`."""
    if not text or len(text) > MAX_DIGITS:
        return None
    if text[0] in "负-":
        value = chinese(text[1:])
        return None if value is None else -value
    if "分之" in text:
        below, _, above = text.partition("分之")
        parts = chinese(above), chinese(below)
        return parts[0] / parts[1] if parts[0] is not None and parts[1] else None
    if (digits := literal(text)) is not None:
        return digits
    if mixed := _MIXED_ZH.match(text):
        return _times_units(literal(mixed[1].replace("点", ".")), mixed[2])
    return _chinese_words(text)


def _times_units(value: Fraction | None, units: str) -> Fraction | None:
    for unit in units:
        value = None if value is None else value * (_SMALL_ZH | _LARGE_ZH)[unit]
    return value


def _chinese_words(text: str) -> Fraction | None:
    if text[-1] in _LARGE_ZH and "点" in text:
        return _times_units(_chinese_words(text[:-1]), text[-1])
    whole, point, decimals = text.partition("点")
    value = _chinese_whole(whole)
    if value is None or not point:
        return None if value is None else Fraction(value)
    digits = _digit_string(decimals)
    return None if digits is None else value + Fraction(int(digits), 10 ** len(digits))


def _digit_string(text: str) -> str | None:
    digits = "".join(str(DIGITS_ZH.get(char, char)) for char in text)
    return digits if digits.isascii() and digits.isdecimal() else None


def _chinese_whole(text: str) -> int | None:
    if (digits := _digit_string(text)) is not None:
        return int(digits)
    for unit, size in (("亿", 10**8), ("万", 10**4)):
        above, found, below = text.rpartition(unit)
        if found:
            return _joined(_chinese_whole(above) if above else None, size, below)
    return _below_ten_thousand(text)


def _joined(above: int | None, size: int, below: str) -> int | None:
    if not above or not below:
        return above and above * size
    rest = _chinese_whole(below)
    if rest is None:
        return None
    # `一万二` is 12,000
    return above * size + rest * (size // 10 if len(below) == 1 and rest and below in DIGITS_ZH else 1)


def _below_ten_thousand(text: str) -> int | None:
    section, digit, last_unit = 0, -1, 0
    for char in text:
        if char in DIGITS_ZH:
            digit, last_unit = DIGITS_ZH[char], 0 if char in "零〇" else last_unit
        elif char in _SMALL_ZH:
            section += (digit if digit >= 0 else 1) * _SMALL_ZH[char]
            digit, last_unit = -1, _SMALL_ZH[char]
        else:
            return None
    # `一百二` is 120, `一百零二` is 102
    return section + max(digit, 0) * (last_unit // 10 if last_unit >= 100 else 1)
