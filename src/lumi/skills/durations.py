"""Lengths of time as they are said: `one hour and a half`, `90 seconds`, `五分半钟`, `一个半小时`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from lumi.engines.base import Language
from lumi.skills.chinese_numbers import NUMBER_ZH, chinese
from lumi.skills.numbers import english_at, words_of

_UNITS_EN = {
    name: seconds
    for names, seconds in (
        ("second seconds sec secs s", 1),
        ("minute minutes min mins m", 60),
        ("hour hours hr hrs h", 3600),
        ("day days d", 86400),
        ("week weeks", 604800),
        ("fortnight fortnights", 1209600),
        ("year years", 31536000),
    )
    for name in names.split()
}
_UNITS_ZH = {
    "秒钟": 1, "秒": 1, "分钟": 60, "分": 60, "刻钟": 900, "小时": 3600, "钟头": 3600, "天": 86400, "日": 86400,
    "星期": 604800, "礼拜": 604800, "周": 604800, "年": 31536000,
}  # fmt: skip
_BELOW = {3600: 60, 60: 1}
"""What a number without a unit counts after a unit: `one hour thirty`."""
_PIECE_ZH = re.compile(
    rf"[,、又零加]?(?:(?P<number>{NUMBER_ZH})|(?P<half>半))(?P<measure>个)?(?P<more>半)?"
    rf"(?P<unit>{'|'.join(sorted(_UNITS_ZH, key=len, reverse=True))})(?P<after>半钟?)?"
)
_SHOWN = (
    (604800, "week", "周"),
    (86400, "day", "天"),
    (3600, "hour", "小时"),
    (60, "minute", "分钟"),
    (1, "second", "秒"),
)


def parse(text: str, language: Language) -> Fraction | None:
    """Seconds that a text stands for, whole; `None` if it is no length of time."""
    if len(text) > 100:
        return None
    return _parse_chinese(text.replace(" ", "")) if language == "zh" else _parse_english(text)


def _parse_chinese(text: str) -> Fraction | None:
    total, at = Fraction(0), 0
    while at < len(text):
        piece = _PIECE_ZH.match(text, at)
        if piece is None:
            return None
        count = Fraction(1, 2) if piece["half"] else chinese(piece["number"])
        if count is None:
            return None
        count += Fraction(1, 2) * (bool(piece["more"]) + bool(piece["after"]))
        total += count * _UNITS_ZH[piece["unit"]]
        at = piece.end()
    return total if at else None


def _parse_english(text: str) -> Fraction | None:
    spaced = re.sub(r"(?<=\d)(?=[a-z])|(?<=[a-z])(?=\d)", " ", text.lower().replace("-", " "))
    words = [word for word in words_of(spaced.replace(",", " ")) if word not in {"about", "around"}]
    total, at, unit = Fraction(0), 0, 0
    while at < len(words):
        at += words[at] == "and" and at > 0
        step = _english_step(words, at, unit)
        if step is None:
            return None
        seconds, at, unit = step
        total += seconds
    return total if unit else None


def _english_step(words: list[str], at: int, last_unit: int) -> tuple[Fraction, int, int] | None:
    """One `number unit`, the half of the last unit (`… and a half`), or a bare number of the next smaller unit."""
    found = _count(words, at)
    if found is None:
        return None
    count, after = found
    while after < len(words) and words[after] in {"of", "a", "an"}:
        after += 1
    if after < len(words) and (unit := _UNITS_EN.get(words[after], 0)):
        return count * unit, after + 1, unit
    if after < len(words) or not last_unit:
        return None
    if 0 < count < 1:
        return count * last_unit, after, last_unit
    smaller = _BELOW.get(last_unit)
    return (count * smaller, after, smaller) if smaller else None


def _count(words: list[str], at: int) -> tuple[Fraction, int] | None:
    if words[at : at + 2] == ["a", "couple"]:
        return Fraction(2), at + 2
    found = english_at(words, at)
    if found is None and at < len(words) and words[at] in {"a", "an"}:
        return Fraction(1), at + 1
    return found if found and found[0] >= 0 else None


def spoken(seconds: float, language: Language) -> str:
    """`1 hour and 30 minutes`, `1小时30分钟`; whole seconds, at most three units, weeks only if they are whole."""
    left = max(round(seconds), 0)
    parts: list[str] = []
    for size, english, chinese_unit in _SHOWN:
        count, left = divmod(left, size) if size != 604800 or left % size == 0 else (0, left)
        if count:
            plural = "" if count == 1 else "s"
            parts.append(f"{count}{chinese_unit}" if language == "zh" else f"{count} {english}{plural}")
    if language == "zh":
        return "".join(parts[:3]) or "0秒"
    return and_join(parts[:3], "en") or "0 seconds"


def and_join(parts: Sequence[str], language: Language) -> str:
    """`a, b and c`; `a、b和c`."""
    if len(parts) < 2:
        return "".join(parts)
    comma, last = ("、", "和") if language == "zh" else (", ", " and ")
    return f"{comma.join(parts[:-1])}{last}{parts[-1]}"
