"""Numbers as they are said or written, in English and Chinese, read exactly.

`num2words` and `unicode-rbnf` only write numbers; `cn2an` reads Chinese ones, as floats. Here every number is a
`Fraction`, and English ones are read from the middle of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from lumi.engines.base import Language
from lumi.skills.chinese_numbers import chinese
from lumi.skills.numerals import MAX_DIGITS, literal

UNITS_EN = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
TENS_EN = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_SCALES_EN = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS_EN = {
    word + plural: Fraction(1, value)
    for word, value in {
        "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
        "ninth": 9, "tenth": 10, "hundredth": 100, "thousandth": 1000,
    }.items()
    for plural in ("", "s")
} | {"halves": Fraction(1, 2)}  # fmt: skip
_RATIO = re.compile(r"(\d{1,9})/([1-9]\d{0,8})$")
_SIGNS_EN = {"minus", "negative"}


def words_of(text: str) -> list[str]:
    """Lower-case words; hyphens between letters part words (`twenty-three`)."""
    return re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text.lower()).split()


def english_at(words: Sequence[str], at: int) -> tuple[Fraction, int] | None:
    """The longest number that starts at `words[at]`, and the index after it."""
    if at < len(words) and words[at] in _SIGNS_EN:
        found = english_at(words, at + 1)
        return found and (-found[0], found[1])
    if part := _part(words, at):
        return part
    whole = _cardinal(words, at)
    if whole is None:
        return _decimals(words, at, Fraction(0))
    value, after = whole
    if fraction := _decimals(words, after, value):
        return fraction
    if after < len(words) and words[after] == "and" and (more := _part(words, after + 1)):
        return value + more[0], more[1]
    return value, after


def _word(words: Sequence[str], at: int) -> str:
    return words[at] if at < len(words) else ""


def _part(words: Sequence[str], at: int) -> tuple[Fraction, int] | None:
    """`half`, `a half`, `a quarter`, `three quarters`, `1/2`."""
    first, second = _word(words, at), _word(words, at + 1)
    if ratio := _RATIO.match(first):
        return Fraction(int(ratio[1]), int(ratio[2])), at + 1
    if first == "half":
        # `half a mile`: the article belongs to the half
        return Fraction(1, 2), at + 2 if second in {"a", "an"} else at + 1
    if first in {"a", "an"}:
        return (_PARTS_EN[second], at + 2) if second in _PARTS_EN else None
    count = UNITS_EN.get(first) or (int(first) if first.isdecimal() and len(first) < 3 else 0)
    return (count * _PARTS_EN[second], at + 2) if count and second in _PARTS_EN else None


def _decimals(words: Sequence[str], at: int, whole: Fraction) -> tuple[Fraction, int] | None:
    """`point five`, `point one four`, after a whole number or alone."""
    if _word(words, at) != "point":
        return None
    digits, after = "", at + 1
    while (word := _word(words, after)) and len(digits) < MAX_DIGITS:
        digit = UNITS_EN.get("zero" if word == "oh" else word, 10)
        if word.isdecimal():
            digits += word
        elif digit < 10:
            digits += str(digit)
        else:
            break
        after += 1
    return (whole + Fraction(int(digits), 10 ** len(digits)), after) if digits else None


def _cardinal(words: Sequence[str], at: int) -> tuple[Fraction, int] | None:
    """`one hundred and five`, `seventeen hundred`, `3 million`, `a dozen`."""
    total, after, ceiling = Fraction(0), at, 10**15
    start = at
    while True:
        group = _group(words, after)
        if group is None:
            break
        value, after = group
        scale = _SCALES_EN.get(_word(words, after), 1)
        if scale == 1 or scale >= ceiling:
            return total + value, after
        total, after, ceiling = total + value * scale, after + 1, scale
        start = after
        if _word(words, after) == "and" and _group(words, after + 1):
            after += 1
    return (total, start) if start > at else None


def _group(words: Sequence[str], at: int) -> tuple[Fraction, int] | None:
    """A number below a thousand in words, or one in digits."""
    word, after = _word(words, at), at + 1
    if word in {"a", "an"}:
        following = _word(words, after)
        if following == "dozen":
            return Fraction(12), after + 1
        if following == "hundred":
            return _hundreds(words, after, Fraction(1))
        return (Fraction(1), after) if following in _SCALES_EN else None
    value = literal(word)
    if value is None:
        small = _below_hundred(words, at)
        if small is None:
            return None
        value, after = Fraction(small[0]), small[1]
    return _hundreds(words, after, value)


def _hundreds(words: Sequence[str], at: int, value: Fraction) -> tuple[Fraction, int]:
    """`value` hundred [and] …, if that is what stands at `at`."""
    if _word(words, at) == "dozen":
        return value * 12, at + 1
    if _word(words, at) != "hundred":
        return value, at
    after = at + 1
    rest = _below_hundred(words, after + 1 if _word(words, after) == "and" else after)
    # `one hundred zero` is two numbers
    return (value * 100 + rest[0], rest[1]) if rest and rest[0] else (value * 100, after)


def _below_hundred(words: Sequence[str], at: int) -> tuple[int, int] | None:
    word = _word(words, at)
    if word in UNITS_EN:
        return UNITS_EN[word], at + 1
    if word not in TENS_EN:
        return None
    unit = UNITS_EN.get(_word(words, at + 1), 0)
    return (TENS_EN[word] + unit, at + 2) if 0 < unit < 10 else (TENS_EN[word], at + 1)


def number_in(text: str, language: Language) -> Fraction | None:
    """A text that is a number and nothing else."""
    if language == "zh":
        return chinese(text.replace(" ", ""))
    words = words_of(text)
    found = english_at(words, 0)
    return found[0] if found and found[1] == len(words) else None


def whole_in(text: str, language: Language) -> int | None:
    """A text that is a whole number and nothing else."""
    value = number_in(text, language)
    return int(value) if value is not None and value.denominator == 1 else None
