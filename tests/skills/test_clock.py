from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.skills.conftest import Talks

from lumi.engines.base import Language
from lumi.skills.clock import date_text, locale_for, moment_text, time_text


@pytest.mark.parametrize(
    ("hour", "minute", "english", "british", "chinese"),
    [
        (0, 5, "12:05 AM", "00:05", "凌晨0点5分"),
        (6, 0, "6:00 AM", "06:00", "上午6点整"),
        (12, 30, "12:30 PM", "12:30", "中午12点30分"),
        (13, 0, "1:00 PM", "13:00", "下午1点整"),
        (18, 15, "6:15 PM", "18:15", "晚上6点15分"),
        (23, 59, "11:59 PM", "23:59", "晚上11点59分"),
    ],
)
def test_says_the_time_as_the_locale_does(
    hour: int, minute: int, english: str, british: str, chinese: str
) -> None:
    at = datetime(2025, 7, 23, hour, minute, tzinfo=UTC)
    assert time_text(at, "en", "en_US") == english
    assert time_text(at, "en", "en-GB") == british
    assert time_text(at, "zh", "zh_CN") == chinese


@pytest.mark.parametrize(
    ("language", "locale", "used"),
    [("en", "en_GB", "en_GB"), ("en", "en-GB", "en_GB"), ("en", "zh_CN", "en_US"), ("zh", "en_US", "zh_CN"),
     ("en", "", "en_US"), ("en", "en_XX_nonsense", "en_US"), ("zh", "zh-TW", "zh_Hant_TW")],
)  # fmt: skip
def test_uses_the_device_s_locale_where_it_speaks_the_language(
    language: Language, locale: str, used: str
) -> None:
    assert locale_for(language, locale) == used


def test_says_dates() -> None:
    at = datetime(2025, 7, 23, tzinfo=UTC)
    assert date_text(at, "en", "en_US") == "Wednesday, July 23, 2025"
    assert date_text(at, "en", "en_GB") in {"Wednesday 23 July 2025", "Wednesday, 23 July 2025"}
    assert date_text(at, "en", "en_US", year=False) == "Wednesday, July 23"
    assert date_text(at, "en", "en_GB", year=False) == "Wednesday, 23 July"
    assert date_text(at, "zh", "zh_CN", year=False) == "7月23日星期三"


def test_says_points_in_the_future() -> None:
    now = datetime(2025, 7, 23, 15, 25, tzinfo=UTC)
    for at, english, chinese in (
        (now.replace(hour=20, minute=0), "at 8:00 PM", "晚上8点"),
        (now.replace(day=24, hour=8), "tomorrow at 8:25 AM", "明天上午8点25分"),
        (now.replace(day=30), "on Wednesday, July 30 at 3:25 PM", "7月30日星期三下午3点25分"),
        (now.replace(year=2026), "on Thursday, July 23, 2026 at 3:25 PM", "2026年7月23日星期四下午3点25分"),
    ):
        assert moment_text(at, now, "en", "en_US") == english
        assert moment_text(at, now, "zh", "zh_CN") == chinese


@pytest.mark.parametrize(
    ("timezone", "answer"),
    [("Europe/London", "It's 8:25 AM."), ("America/New_York", "It's 3:25 AM."), ("Nowhere", "It's 7:25 AM.")],
)
async def test_goes_by_the_device_s_time_zone(timezone: str, answer: str, talks: Talks) -> None:
    assert await talks(timezone=timezone).say("what time is it") == answer


async def test_names_the_day_where_it_is_another(talks: Talks) -> None:
    talk = talks(timezone="America/Los_Angeles")
    talk.now -= 7200
    assert await talk.say("what time is it in tokyo") == "In Tokyo it's 2:25 PM on Wednesday."
    assert await talk.say("东京现在几点") == "东京现在是星期三下午2点25分。"


async def test_a_24_hour_locale_gets_a_24_hour_clock(talks: Talks) -> None:
    assert await talks(locale="en-GB").say("what time is it") == "It's 15:25."
