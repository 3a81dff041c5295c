"""Units of measurement: exact sizes, their names in two languages, and quantities as they are said.

The sizes are data (`units.yaml`) rather than a units library's: Chinese units (斤, 里, 亩) and names are needed anyway,
and sums of fractions stay exact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType

from lumi.engines.base import Language
from lumi.skills.catalogue import read_yaml
from lumi.skills.chinese_numbers import NUMBER_ZH, chinese
from lumi.skills.figures import plain
from lumi.skills.numbers import english_at, words_of

_MAX_UNIT_WORDS = 4
_DIGITS_ZH = re.compile(r"[0-9一二三四五六七八九]{1,2}")
_NUMBER_ZH = re.compile(rf"(?P<number>{NUMBER_ZH.replace('两', '')}|两(?=[^0-9])|半)(?P<measure>个半|个)?")


@dataclass(frozen=True, slots=True)
class Unit:
    """`size` in its dimension's base unit; `zero` is where its own zero lies there (only temperatures have one)."""

    dimension: str
    size: Fraction
    zero: Fraction
    names: Mapping[str, tuple[str, ...]]

    def shown(self, value: Fraction, language: Language) -> str:
        """`1 mile`, `2.5 miles`, `2.5公里`."""
        number = plain(value, language)
        if language == "zh":
            return f"{number}{self.names['zh'][0]}"
        return f"{number} {self.names['en'][0 if value == 1 else 1]}"


@dataclass(frozen=True, slots=True)
class Quantity:
    """`value` of `unit`, and all of it as it was said (`5 feet 10 inches`)."""

    value: Fraction
    unit: Unit
    parts: tuple[tuple[Fraction, Unit], ...]

    def converted(self, unit: Unit) -> Fraction | None:
        """The value in another unit; None where it is of another dimension."""
        if unit.dimension != self.unit.dimension:
            return None
        return (self.value * self.unit.size + self.unit.zero - unit.zero) / unit.size

    def shown(self, language: Language) -> str:
        space = " " if language == "en" else ""
        return space.join(unit.shown(value, language) for value, unit in self.parts)


@cache
def units(language: Language) -> Mapping[str, Unit]:
    """All units by each of their names, lower case."""
    table: dict[str, Unit] = {}
    for dimension, entries in read_yaml("units.yaml").items():
        for entry in entries:
            names = {"en": tuple(entry["en"]), "zh": tuple(entry["zh"])}
            unit = Unit(
                dimension, Fraction(entry["size"]), Fraction(entry.get("zero", 0)), MappingProxyType(names)
            )
            for name in names[language]:
                table.setdefault(name.lower(), unit)
    return MappingProxyType(table)


def unit_in(text: str, language: Language) -> Unit | None:
    """The unit that a text names, whole."""
    names = units(language)
    key = " ".join(text.lower().split())
    if language == "zh":
        key = key.replace(" ", "")
        return names.get(key) or units("en").get(key)
    return names.get(key) or names.get(key.removeprefix("a ").removeprefix("an "))


def quantity_in(text: str, language: Language) -> Quantity | None:
    """A number (or none, or `a`) and a unit, or several of one dimension."""
    if len(text) > 100:
        return None
    parts = _chinese_parts(text.replace(" ", "")) if language == "zh" else _english_parts(text)
    if not parts or len({unit.dimension for _, unit in parts}) != 1:
        return None
    first = parts[0][1]
    total = sum((value * unit.size for value, unit in parts[1:]), Fraction(0)) / first.size
    return Quantity(parts[0][0] + total, first, tuple(parts))


def _english_parts(text: str) -> list[tuple[Fraction, Unit]] | None:
    words = words_of(re.sub(r"(?<=\d)(?=[a-z°])", " ", text.lower()))
    parts: list[tuple[Fraction, Unit]] = []
    at = 0
    while at < len(words):
        at += bool(parts) and words[at] == "and"
        step = _english_part(words, at)
        if step is None:
            return None
        parts.append(step[0])
        at = step[1]
    return parts


def _english_part(words: list[str], at: int) -> tuple[tuple[Fraction, Unit], int] | None:
    found = english_at(words, at)
    if found is None and words[at : at + 1] in (["a"], ["an"], ["one"]):
        found = Fraction(1), at + 1
    value, after = found or (Fraction(1), at)
    after += words[after : after + 1] == ["of"]
    for length in range(_MAX_UNIT_WORDS, 0, -1):
        unit = (
            units("en").get(" ".join(words[after : after + length])) if after + length <= len(words) else None
        )
        if unit:
            return _and_a_half(words, after + length, value, unit)
    return None


def _and_a_half(words: list[str], at: int, value: Fraction, unit: Unit) -> tuple[tuple[Fraction, Unit], int]:
    if words[at : at + 3] == ["and", "a", "half"]:
        return (value + Fraction(1, 2), unit), at + 3
    return (value, unit), at


def _chinese_parts(text: str) -> list[tuple[Fraction, Unit]] | None:
    parts: list[tuple[Fraction, Unit]] = []
    at = 0
    sign = 1
    # `零下五度`
    if text.startswith("零下"):
        sign, at = -1, 2
    while at < len(text):
        named = _NAMED_FIRST.match(text, at)
        step = _chinese_part(text, at) if named is None else _named_first(named)
        if step is None:
            return None
        (value, unit), at = step
        parts.append((sign * value, unit))
    return parts


_NAMED_FIRST = re.compile(rf"(?P<unit>摄氏|华氏)(?P<below>零下)?(?P<number>{NUMBER_ZH})度")


def _named_first(found: re.Match[str]) -> tuple[tuple[Fraction, Unit], int] | None:
    """`华氏一百度`."""
    value = chinese(found["number"])
    if value is None:
        return None
    return ((-value if found["below"] else value, units("zh")[found["unit"]]), found.end())


def _chinese_part(text: str, at: int) -> tuple[tuple[Fraction, Unit], int] | None:
    value, after = Fraction(1), at
    if number := _NUMBER_ZH.match(text, at):
        read = Fraction(1, 2) if number["number"] == "半" else chinese(number["number"])
        if read is None:
            return None
        value, after = read + (Fraction(1, 2) if number["measure"] == "个半" else 0), number.end()
    for end in range(len(text), after, -1):
        if unit := unit_in(text[after:end], "zh"):
            return _chinese_rest(text, end, value, unit)
    return None


def _chinese_rest(text: str, at: int, value: Fraction, unit: Unit) -> tuple[tuple[Fraction, Unit], int]:
    """What may follow a unit: `两斤半`, `一米八`, `一米七五`."""
    if text[at : at + 1] == "半":
        return (value + Fraction(1, 2), unit), at + 1
    tenths = _DIGITS_ZH.fullmatch(text, at) if text[at - 1] == "米" else None
    if tenths is None:
        return (value, unit), at
    digits = "".join(str(chinese(digit)) for digit in tenths[0])
    return (value + Fraction(int(digits), 10 ** len(digits)), unit), tenths.end()
