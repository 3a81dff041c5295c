from __future__ import annotations

import pytest

from lumi.engines.base import Language
from lumi.skills.moments import Half, Moment
from lumi.skills.readers import (
    KEPT_AS_WRITTEN,
    READERS,
    Place,
    Reminder,
    free_text,
    list_name,
    person,
    place,
    reminder,
)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("to call my mum tomorrow at 8", "en", Reminder("call my mum", Moment(days=1, hour=8))),
        ("tomorrow at 8 to call mum", "en", Reminder("call mum", Moment(days=1, hour=8))),
        ("at 8 that the cake is ready", "en", Reminder("the cake is ready", Moment(hour=8))),
        ("to buy milk", "en", Reminder("buy milk", None)),
        ("tomorrow at 8", "en", None),
        ("", "en", None),
        ("明天早上八点开会", "zh", Reminder("开会", Moment(days=1, hour=8, half=Half.MORNING))),
        ("明天早上八點開會", "zh", Reminder("開會", Moment(days=1, hour=8, half=Half.MORNING))),
        ("开会,明天八点", "zh", Reminder("开会", Moment(days=1, hour=8))),
        ("买牛奶", "zh", Reminder("买牛奶", None)),
        ("明天", "zh", None),
    ],
)
def test_parts_what_from_when(text: str, language: Language, expected: Reminder | None) -> None:
    assert reminder(text, language) == expected


@pytest.mark.parametrize(
    ("text", "language", "name"),
    [
        ("grocery", "en", "shopping"),
        ("my shopping", "en", "shopping"),
        ("To Do", "en", "todo"),
        ("packing", "en", "packing"),
        ("购物", "zh", "shopping"),
        ("我的待办", "zh", "todo"),
        ("旅行", "zh", "旅行"),
        ("one two three four", "en", None),
        ("很长很长很长很长的名字", "zh", None),
        (" ", "en", None),
    ],
)
def test_names_one_list_the_same_in_both_languages(text: str, language: Language, name: str | None) -> None:
    assert list_name(text, language) == name


@pytest.mark.parametrize(
    ("text", "language", "name"),
    [
        ("ada", "en", "Ada"),
        ("Ada Lovelace", "en", "Ada Lovelace"),
        ("McDonald", "en", "McDonald"),
        ("one two three four", "en", None),
        ("r2d2", "en", None),
        ("小明", "zh", "小明"),
        ("Ada", "zh", "Ada"),
        ("他不要去", "zh", None),
        ("什么", "zh", None),
    ],
)
def test_reads_names_of_people(text: str, language: Language, name: str | None) -> None:
    assert person(text, language) == name


def test_reads_places() -> None:
    assert place("new york", "en") == Place("New York", "America/New_York")
    assert place("东京", "zh") == Place("东京", "Asia/Tokyo")
    assert place("narnia", "en") is None


def test_free_text_is_bounded() -> None:
    assert free_text(" milk,  ", "en") == "milk"
    assert free_text("x" * 200, "en") is None
    assert free_text(" .", "en") is None


@pytest.mark.parametrize(
    ("slot", "text", "language", "value"),
    [
        ("count", "two", "en", 2), ("count", "a", "en", 1), ("count", "minus two", "en", None), ("count", "几", "zh", None),
        ("sides", "二十", "zh", 20), ("low", "minus five", "en", -5), ("first", "2.5", "en", 2.5), ("first", "x", "en", None),
        ("duration", "一个五分钟", "zh", 300), ("duration", "一个半小时", "zh", 5400), ("duration", "你好", "zh", None),
    ],
)  # fmt: skip
def test_reads_numbers_and_lengths(slot: str, text: str, language: Language, value: float | None) -> None:
    assert READERS[slot](text, language) == value


def test_every_kept_slot_has_a_reader() -> None:
    assert set(READERS) >= KEPT_AS_WRITTEN
