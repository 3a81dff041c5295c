"""Points in time in English: `tomorrow at 8`, `half past nine`, `on the third of march`, `in ten minutes`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lumi.skills import durations
from lumi.skills.moments import Half, Moment, existing
from lumi.skills.numbers import TENS_EN, UNITS_EN

_MINUTES: dict[str, int] = {
    **UNITS_EN,
    **{f"oh {word}": value for word, value in UNITS_EN.items() if 0 < value < 10},
    **TENS_EN,
    **{
        f"{ten} {unit}": tens + ones
        for ten, tens in TENS_EN.items()
        for unit, ones in UNITS_EN.items()
        if 0 < ones < 10
    },
}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
            "thirteenth",
            "fourteenth",
            "fifteenth",
            "sixteenth",
            "seventeenth",
            "eighteenth",
            "nineteenth",
            "twentieth",
        ],
        start=1,
    )
} | {"thirtieth": 30}
_ORDINALS |= {
    f"{ten} {word}": tens + value
    for ten, tens in (("twenty", 20), ("thirty", 30))
    for word, value in tuple(_ORDINALS.items())[:9]
    if tens + value <= 31
}
_MONTHS = {
    name: value
    for value, name in enumerate(
        [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ],
        start=1,
    )
}
_WEEKDAYS = {
    name: value
    for value, name in enumerate(
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    )
}


def _any(words: Mapping[str, Any]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_COUNT = rf"\d{{1,2}}|{_any({w: v for w, v in _MINUTES.items() if v < 60})}"
_DAY_NUMBER = rf"\d{{1,2}}(?:st|nd|rd|th)?|{_any(_ORDINALS)}"
_DAYS: Mapping[str, int] = MappingProxyType(
    {"the day after tomorrow": 2, "tomorrow": 1, "today": 0, "tonight": 0}
)
_HALVES: Mapping[str, Half] = MappingProxyType(
    {
        "am": Half.MORNING, "a.m": Half.MORNING, "a m": Half.MORNING, "in the morning": Half.MORNING,
        "this morning": Half.MORNING, "morning": Half.MORNING, "pm": Half.AFTERNOON, "p.m": Half.AFTERNOON,
        "p m": Half.AFTERNOON, "in the afternoon": Half.AFTERNOON, "this afternoon": Half.AFTERNOON,
        "afternoon": Half.AFTERNOON, "in the evening": Half.NIGHT, "this evening": Half.NIGHT,
        "evening": Half.NIGHT, "at night": Half.NIGHT, "night": Half.NIGHT, "tonight": Half.NIGHT,
    }
)  # fmt: skip
_DAY = re.compile(
    rf"\b(?:(?P<days>{_any(_DAYS)})|in (?P<in>{_COUNT}|a) days?"
    rf"|(?:on |next |this |on the )?(?P<weekday>{_any(_WEEKDAYS)})"
    rf"|(?:on )?(?:the )?(?P<day>{_DAY_NUMBER})(?: of)? (?P<month>{_any(_MONTHS)})"
    rf"|(?:on )?(?P<month2>{_any(_MONTHS)}) (?:the )?(?P<day2>{_DAY_NUMBER})"
    rf"|on the (?P<day3>{_DAY_NUMBER}))\b"
)
_HALF = re.compile(rf"(?:\b|(?<=\d))(?P<half>{_any(_HALVES)})\b\.?")
_TIME = re.compile(
    rf"(?:at |by |for |around )?(?:(?P<noon>noon|midday|twelve noon|12 noon)|(?P<midnight>midnight)"
    rf"|(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})"
    rf"|(?P<part>half|(?:a )?quarter|{_COUNT})(?: minutes?)? (?P<way>past|after|to|before) (?P<hour2>{_COUNT})"
    rf"|(?P<hour3>{_COUNT})(?: (?P<minute3>{_COUNT}))?)(?: o'?clock| hours| sharp)?"
)
_OFFSET = re.compile(r"(?:in|after) (?P<before>.+)|(?P<after>.+?) (?:from now|later)")


def _number_en(words: str) -> int:
    words = re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", words)
    if words.isdecimal():
        return int(words)
    return 1 if words == "a" else _MINUTES.get(words, _ORDINALS.get(words, 0))


def parse(text: str) -> Moment | None:
    """The moment that an English text names, whole."""
    text = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text.lower()).replace(",", " ").strip()
    if offset := _OFFSET.fullmatch(text):
        seconds = durations.parse(offset["before"] or offset["after"], "en")
        # `in two days` is a day, not an offset
        if seconds and seconds < 86400:
            return Moment(offset_s=seconds)
    fields: dict[str, Any] = {}
    if half := _HALF.search(text):
        fields["half"] = _HALVES[half["half"]]
        if half["half"] == "tonight":
            fields["days"] = 0
        text = text[: half.start()] + " " + text[half.end() :]
    if day := _DAY.search(text):
        fields |= _day_fields(day)
        text = text[: day.start()] + " " + text[day.end() :]
    rest = " ".join(text.split())
    if rest in {"", "at", "in the", "in"}:
        return existing(Moment(**fields)) if day or half else None
    time = _TIME.fullmatch(rest)
    return time and existing(Moment(**(fields | _time_fields(time, fields.get("half")))))


def _day_fields(found: re.Match[str]) -> dict[str, Any]:
    if found["days"]:
        return {"days": _DAYS[found["days"]]}
    if found["in"]:
        return {"days": _number_en(found["in"])}
    if found["weekday"]:
        return {"weekday": _WEEKDAYS[found["weekday"]]}
    month = found["month"] or found["month2"]
    day = found["day"] or found["day2"] or found["day3"]
    return {"month": _MONTHS.get(month or ""), "day": _number_en(day)}


def _time_fields(found: re.Match[str], half: Half | None) -> dict[str, Any]:
    if found["noon"]:
        return {"hour": 12, "half": Half.NOON}
    if found["midnight"]:
        return {"hour": 12, "half": Half.NIGHT if half is not Half.MORNING else half}
    if found["part"]:
        part = found["part"].removeprefix("a ")
        minutes = {"half": 30, "quarter": 15}.get(part) or _number_en(part)
        hour = _number_en(found["hour2"])
        if found["way"] in {"to", "before"}:
            hour, minutes = (hour - 2) % 12 + 1 if hour <= 12 else hour - 1, 60 - minutes
        return {"hour": hour, "minute": minutes}
    hour = _number_en(found["hour"] or found["hour3"])
    minute = _number_en(found["minute"] or found["minute3"] or "zero")
    # `08:00` is the morning, as `20:00` is the evening
    written = (found["hour"] or "").startswith("0") and half is None
    return {"hour": hour, "minute": minute} | ({"half": Half.MORNING} if written and hour else {})
