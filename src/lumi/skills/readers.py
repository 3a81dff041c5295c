"""What the words of a slot mean, by the slot's name. None: these words are no such thing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType

from lumi.engines.base import Language
from lumi.skills import durations, moment_words, sum_words
from lumi.skills.catalogue import read_yaml
from lumi.skills.language import SIMPLIFY
from lumi.skills.measures import quantity_in, unit_in
from lumi.skills.moments import Moment
from lumi.skills.numbers import number_in, whole_in

MAX_TEXT = 120
"""Characters of a label or of an item."""
MAX_LIST_WORDS = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A city or a country, as it is written, and its IANA time zone."""

    name: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """What to be reminded of, and when, if that was said."""

    label: str
    moment: Moment | None


@cache
def _places(language: Language) -> Mapping[str, Place]:
    return MappingProxyType(
        {
            name.lower(): Place(name, timezone)
            for timezone, names in read_yaml("cities.yaml").items()
            for name in names[language]
        }
    )


def place(text: str, language: Language) -> Place | None:
    return _places(language).get(text.lower().strip())


_EDGES = re.compile(r"^[\s.,;:!?。、'\"]+|[\s.,;:!?。、'\"]+$")


def free_text(text: str, _language: Language) -> str | None:
    even = _EDGES.sub("", " ".join(text.split()))
    return even if 0 < len(even) <= MAX_TEXT else None


_ARTICLE_ZH = re.compile(r"^(?:一个|个|一下|一次)")
_LIST_NAMES: Mapping[Language, Mapping[str, str]] = MappingProxyType(
    {
        "en": dict.fromkeys(("shopping", "grocery", "groceries", "shop"), "shopping")
        | dict.fromkeys(("to do", "todo", "to-do", "task", "tasks", "todos"), "todo"),
        "zh": dict.fromkeys(("购物", "采购", "买菜", "购買"), "shopping")
        | dict.fromkeys(("待办", "待办事项", "任务", "事项"), "todo"),
    }
)


def list_name(text: str, language: Language) -> str | None:
    """`shopping`, `todo`, or the words themselves; the same list whatever the language it is asked in."""
    key = " ".join(text.lower().split())
    for article in ("my ", "the ", "our ", "a ", "我的", "我们的", "一个"):
        key = key.removeprefix(article)
    known = _LIST_NAMES[language].get(key.translate(SIMPLIFY))
    if known:
        return known
    longest = 8 if language == "zh" else 30
    return key if key and len(key) <= longest and len(key.split()) <= MAX_LIST_WORDS else None


def reminder(text: str, language: Language) -> Reminder | None:
    """`to call mum tomorrow at 8`, `at 8 to call mum`, `明天早上八点开会`, `开会`."""
    even = free_text(text, language)
    if even is None or moment_words.parse(even.translate(SIMPLIFY), language):
        return None
    splits = _chinese_splits(even) if language == "zh" else _english_splits(even)
    for when, what in splits:
        moment = moment_words.parse(when.translate(SIMPLIFY), language)
        label = _label(what, language)
        if moment and label:
            return Reminder(label, moment)
    label = _label(even, language)
    return Reminder(label, None) if label else None


def _label(text: str, language: Language) -> str:
    if language == "zh":
        return re.sub(r"^(?:要|该|去一下|的时候|,|、)|,$", "", text)
    return re.sub(r"^(?:to|that|about|of)\s+|^,\s*|\s*,$", "", text.strip(), flags=re.IGNORECASE)


def _english_splits(text: str) -> list[tuple[str, str]]:
    """(when, what) at each gap, the longest moment first."""
    words = text.split()
    splits = [(" ".join(words[at:]), " ".join(words[:at])) for at in range(1, len(words))]
    splits += [(" ".join(words[:at]), " ".join(words[at:])) for at in range(len(words) - 1, 0, -1)]
    # `call mum at 3` must not be `call mum at` and `3`
    loose = {"at", "on", "in", "by", "for", "the", "next", "past", "to", "and"}
    return [(when, what) for when, what in splits if what.split()[-1].lower() not in loose or what == "to"]


def _chinese_splits(text: str) -> list[tuple[str, str]]:
    before = [(text[:at], text[at:]) for at in range(len(text) - 1, 1, -1)]
    return before + [(text[at:], text[:at]) for at in range(1, len(text) - 1)]


_NAME_ZH = re.compile(r"(?![你我他她它不什去来快做在]|大家)[\u3400-\u9fff·]{1,6}|[A-Za-z .'-]+")


def person(text: str, language: Language) -> str | None:
    """A name of at most three words; Latin names get their capitals."""
    even = free_text(text, language)
    if even is None or len(even.split()) > 3 or any(char.isdigit() for char in even):
        return None
    if language == "zh" and not _NAME_ZH.fullmatch(even):
        return None
    return even.title() if even == even.lower() else even


def _duration(text: str, language: Language) -> Fraction | None:
    """A length of time, after an article (`设一个五分钟的`; but `一个半小时` is an hour and a half)."""
    return durations.parse(text, language) or durations.parse(_ARTICLE_ZH.sub("", text), language)


def _positive(text: str, language: Language) -> int | None:
    if language == "zh" and text in {"几", "个"}:
        return None
    value = whole_in(text, language)
    if value is None and language == "en" and text.lower() in {"a", "an"}:
        return 1
    return value if value is not None and value >= 0 else None


def _number(text: str, language: Language) -> Fraction | None:
    return number_in(text, language)


Reader = Callable[[str, Language], object]

KEPT_AS_WRITTEN = frozenset({"item", "label", "name", "reminder", "list"})
"""Slots whose words are said back."""

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "sum": sum_words.parse,
        "duration": _duration,
        "moment": moment_words.parse,
        "quantity": quantity_in,
        "unit": unit_in,
        "place": place,
        "first": _number,
        "second": _number,
        "count": _positive,
        "sides": _positive,
        "low": whole_in,
        "high": whole_in,
        "list": list_name,
        "item": free_text,
        "label": free_text,
        "reminder": reminder,
        "name": person,
    }
)
