"""Times, dates, money and units in an English text, as they are said. Plain numbers the voice reads by itself."""

from __future__ import annotations

import re
from collections.abc import Callable

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DECADES = (
    "hundreds",
    "tens",
    "twenties",
    "thirties",
    "forties",
    "fifties",
    "sixties",
    "seventies",
    "eighties",
    "nineties",
)
_SIGNS = {
    "×": "times",
    "*": "times",
    "÷": "divided by",
    "/": "divided by",
    "+": "plus",
    "-": "minus",
    "=": "equals",
    "≈": "is about",
}
_MONEY = {
    "$": ("dollar", "dollars"),
    "€": ("euro", "euros"),
    "£": ("pound", "pounds"),
    "¥": ("yen", "yen"),
    "￥": ("yuan", "yuan"),
}
_UNITS = {
    "km/h": ("kilometre per hour", "kilometres per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "m/s": ("metre per second", "metres per second"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "km": ("kilometre", "kilometres"),
    "cm": ("centimetre", "centimetres"),
    "mm": ("millimetre", "millimetres"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "ml": ("millilitre", "millilitres"),
    "mL": ("millilitre", "millilitres"),
    "lb": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ft": ("foot", "feet"),
    "min": ("minute", "minutes"),
    "GB": ("gigabyte", "gigabytes"),
    "MB": ("megabyte", "megabytes"),
    "m": ("metre", "metres"),
    "g": ("gram", "grams"),
    "L": ("litre", "litres"),
}
_SCALES = {"C": " Celsius", "F": " Fahrenheit", "": ""}
_SHORT = {"e.g.": "for example", "i.e.": "that is", "etc.": "and so on", "vs.": "versus", "approx.": "about"}


def year(number: str) -> str:
    """1984 is '19 84', 1905 '19 oh 5', 1900 '19 hundred'; 2000 … 2009 stay as they are."""
    century, rest = number[:2], number[2:]
    if number.startswith("200"):
        return number
    if rest == "00":
        return f"{century} hundred"
    return f"{century} oh {rest[1]}" if rest.startswith("0") else f"{century} {rest}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 11th …: the voice reads those."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _date(match: re.Match[str]) -> str:
    return f"{_MONTHS[int(match[2]) - 1]} {ordinal(int(match[3]))}, {year(match[1])}"


def _clock(match: re.Match[str]) -> str:
    """3:05 is '3 oh 5'; 10:00 is '10 o'clock', 10:00 pm '10 p m'."""
    hour, minute, half = int(match[1]), match[2], (match[3] or "").lower().replace(".", "")
    if minute == "00":
        said = f"{hour}" if half else f"{hour} o'clock"
    else:
        said = f"{hour} oh {minute[1]}" if minute.startswith("0") else f"{hour} {minute}"
    return said + (f" {half[0]} {half[1]}" if half else "")


def _decade(match: re.Match[str]) -> str:
    tens = _DECADES[int(match[2])]
    return f"{match[1]} {tens}" if match[1] else tens


def _plural(amount: str, names: tuple[str, str]) -> str:
    return names[0] if amount.lstrip("-") == "1" else names[1]


def _money(match: re.Match[str]) -> str:
    names = _MONEY[match[1]]
    if match[4]:
        return f"{match[2]}{match[3] or ''} {match[4]} {names[1]}"
    cents = (match[3] or "").lstrip(".")
    whole = f"{match[2]} {_plural(match[2], names)}"
    return whole + (f" {int(cents)}" if cents.strip("0") else "")


def _measure(match: re.Match[str]) -> str:
    return f"{match[1]} {_plural(match[1], _UNITS[match[2]])}"


def _temperature(match: re.Match[str]) -> str:
    return f"{match[1]} {_plural(match[1], ('degree', 'degrees'))}{_SCALES[match[2]]}"


def _sign(match: re.Match[str]) -> str:
    return f" {_SIGNS[match[1]]} "


_N = r"(-?\d[\d,]*(?:\.\d+)?)"
_UNIT = "|".join(re.escape(unit) for unit in _UNITS)
_YEAR_AFTER = "|".join(
    (*_MONTHS, "in", "since", "by", "until", "till", "from", "of", "year", "before", "after", "during")
)
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?<![\w.])(" + "|".join(map(re.escape, _SHORT)) + ")"), lambda m: _SHORT[m[1]]),
    (re.compile(r"(?<!\d)(\d{4})[-/](1[0-2]|0?[1-9])[-/]([12]\d|3[01]|0?[1-9])(?!\d)"), _date),
    (re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?:\s*([AaPp]\.?[Mm]\b\.?))?(?![\d:])"), _clock),
    (re.compile(r"\b(\d{2})?(\d)0'?s\b"), _decade),
    (re.compile(rf"\b((?:{_YEAR_AFTER})\s+(?:\d{{1,2}}(?:st|nd|rd|th)?,\s+)?)((?:1[1-9]|20)\d\d)\b(?![,.]?\d|\s*%)"), lambda m: m[1] + year(m[2])),
    (re.compile(r"(?<![\d.,])\d{11,}(?![\d.,])"), lambda m: " ".join(m[0])),
    (re.compile(r"([$€£¥￥])\s*(\d[\d,]*)(\.\d+)?(?:\s*(thousand|million|billion|trillion)\b)?"), _money),
    (re.compile(_N + r"\s*°\s*([CF]?)(?![A-Za-z])"), _temperature),
    (re.compile(_N + rf"\s*({_UNIT})(?![A-Za-z/])"), _measure),
    (re.compile(_N + r"\s*%"), lambda m: f"{m[1]} percent"),
    (re.compile(r"(?<=\d)\s*[~–—]\s*(?=\d)"), lambda _: " to "),
    (re.compile(r"(?<=[\d)])\s*([×*÷+=≈]|-(?=\d+\s*=))\s*(?=[\d(?\-])|(?<=[\d)])\s+([/\-])\s+(?=[\d(])"), lambda m: f" {_SIGNS[m[1] or m[2]]} "),
    (re.compile(r"([×÷=≈])"), _sign),
    (re.compile(r"(?<=\d)-(?=\d+\b(?!-|\s*=))"), lambda _: " to "),
    (re.compile(r"\s+&\s+"), lambda _: " and "),
    (re.compile(r"(?<=\w)\s*[—–]\s*(?=\w)"), lambda _: ", "),
)  # fmt: skip


def english(text: str) -> str:
    """The text with everything the voice would read wrongly written out."""
    for pattern, spoken in _RULES:
        text = pattern.sub(spoken, text)
    return text
