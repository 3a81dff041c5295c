from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.engines.base import Language
from lumi.skills.durations import and_join, parse, spoken


@pytest.mark.parametrize(
    ("text", "language", "seconds"),
    [
        ("five minutes", "en", 300),
        ("an hour and a half", "en", 5400),
        ("one hour and a half", "en", 5400),
        ("one and a half hours", "en", 5400),
        ("an hour and a quarter", "en", 4500),
        ("half an hour", "en", 1800),
        ("half a minute", "en", 30),
        ("a quarter of an hour", "en", 900),
        ("three quarters of an hour", "en", 2700),
        ("1h30m", "en", 5400),
        ("90s", "en", 90),
        ("thirty-second", "en", 30),
        ("one minute thirty", "en", 90),
        ("one hour thirty", "en", 5400),
        ("two hours and fifteen minutes", "en", 8100),
        ("1 hour, 30 minutes", "en", 5400),
        ("a couple of minutes", "en", 120),
        ("about ten minutes", "en", 600),
        ("a day", "en", 86400),
        ("a fortnight", "en", 14 * 86400),
        ("zero seconds", "en", 0),
        ("五分钟", "zh", 300),
        ("三十秒", "zh", 30),
        ("一个半小时", "zh", 5400),
        ("半个小时", "zh", 1800),
        ("一小时三十分钟", "zh", 5400),
        ("两分半钟", "zh", 150),
        ("一刻钟", "zh", 900),
        ("三刻钟", "zh", 2700),
        ("一天半", "zh", 129600),
        ("两个星期", "zh", 1209600),
        ("1 小时 30 分钟", "zh", 5400),
    ],
)
def test_reads_lengths_of_time(text: str, language: Language, seconds: int) -> None:
    assert parse(text, language) == seconds


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "en"), ("two", "en"), ("five minutes later", "en"), ("minutes", "en"), ("and five minutes", "en"),
        ("two days five", "en"), ("thirty seconds ten", "en"), ("minus five minutes", "en"), ("five " * 30, "en"),
        ("", "zh"), ("五", "zh"), ("分钟", "zh"), ("五分钟后", "zh"), ("万分钟", "zh"), ("一" * 101, "zh"),
    ],
)  # fmt: skip
def test_refuses_what_is_none(text: str, language: Language) -> None:
    assert parse(text, language) is None


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "0 seconds", "0秒"),
        (1, "1 second", "1秒"),
        (90, "1 minute and 30 seconds", "1分钟30秒"),
        (3661, "1 hour, 1 minute and 1 second", "1小时1分钟1秒"),
        (86400 * 3, "3 days", "3天"),
        (86400 * 14, "2 weeks", "2周"),
        (86400 * 8 + 3661, "8 days, 1 hour and 1 minute", "8天1小时1分钟"),
        (0.6, "1 second", "1秒"),
    ],
)
def test_says_lengths_of_time(seconds: float, english: str, chinese: str) -> None:
    assert spoken(seconds, "en") == english
    assert spoken(seconds, "zh") == chinese


@given(st.integers(1, 86399), st.sampled_from(["en", "zh"]))
def test_reads_what_it_says(seconds: int, language: Language) -> None:
    assert parse(spoken(seconds, language).replace(" and ", " "), language) == seconds


def test_joins_as_people_do() -> None:
    assert and_join([], "en") == ""
    assert and_join(["a"], "zh") == "a"
    assert and_join(["a", "b", "c"], "en") == "a, b and c"
    assert and_join(["a", "b", "c"], "zh") == "a、b和c"
