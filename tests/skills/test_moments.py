from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from lumi.skills.moments import Half, Moment, existing

NOW = datetime(2025, 7, 23, 15, 25, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("moment", "point"),
    [
        (Moment(hour=8), "2025-07-23T20:00"),
        (Moment(hour=3), "2025-07-24T03:00"),
        (Moment(hour=15, minute=30), "2025-07-23T15:30"),
        (Moment(hour=0), "2025-07-24T00:00"),
        (Moment(days=1, hour=8), "2025-07-24T08:00"),
        (Moment(days=1, hour=5), "2025-07-24T17:00"),
        (Moment(days=1, hour=12), "2025-07-24T12:00"),
        (Moment(days=1), "2025-07-24T09:00"),
        (Moment(days=1, half=Half.AFTERNOON), "2025-07-24T15:00"),
        (Moment(days=0, half=Half.NIGHT), "2025-07-23T20:00"),
        (Moment(hour=12, half=Half.NIGHT), "2025-07-24T00:00"),
        (Moment(hour=12, half=Half.MORNING), "2025-07-24T00:00"),
        (Moment(hour=12, half=Half.NOON), "2025-07-24T12:00"),
        (Moment(hour=1, half=Half.NOON), "2025-07-24T13:00"),
        (Moment(hour=2, half=Half.NIGHT, days=0), "2025-07-24T02:00"),
        (Moment(weekday=2, hour=16), "2025-07-23T16:00"),
        (Moment(weekday=2, hour=9), "2025-07-23T21:00"),
        (Moment(weekday=2, hour=9, half=Half.MORNING), "2025-07-30T09:00"),
        (Moment(weekday=0, weeks=1, hour=10), "2025-07-28T10:00"),
        (Moment(month=3, day=3, hour=10), "2026-03-03T10:00"),
        (Moment(day=23, hour=9, half=Half.MORNING), "2025-08-23T09:00"),
    ],
)
def test_finds_the_first_such_point(moment: Moment, point: str) -> None:
    assert moment.after(NOW) == datetime.fromisoformat(point).replace(tzinfo=NOW.tzinfo)


@pytest.mark.parametrize(
    "moment",
    [Moment(days=0, hour=3, half=Half.AFTERNOON), Moment(weekday=0, weeks=0), Moment(month=2, day=30)],
)
def test_what_has_passed_or_never_comes_is_none(moment: Moment) -> None:
    assert moment.after(NOW) is None


def test_waking_is_in_the_morning() -> None:
    assert Moment(hour=5).after(NOW, morning=True) == NOW.replace(day=24, hour=5, minute=0)
    assert Moment(days=1, hour=5).after(NOW, morning=True) == NOW.replace(day=24, hour=5, minute=0)


def test_a_day_counts_from_today() -> None:
    assert Moment(month=7, day=23).day_from(NOW) == date(2025, 7, 23)
    assert Moment(days=1).day_from(NOW) == date(2025, 7, 24)
    assert Moment(days=-1).day_from(NOW) is None
    assert Moment(hour=5).day_from(NOW) is None


def test_follows_the_clock_over_a_change_of_summer_time() -> None:
    evening = datetime(2025, 3, 29, 20, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    morning = Moment(days=1, hour=8).after(evening)
    assert morning is not None
    assert morning.timestamp() - evening.timestamp() == 11 * 3600


@pytest.mark.parametrize(
    "moment",
    [
        Moment(),
        Moment(hour=25),
        Moment(hour=8, minute=60),
        Moment(day=32),
        Moment(month=13, day=1),
        Moment(day=0),
    ],
)
def test_no_clock_and_no_calendar_has_these(moment: Moment) -> None:
    assert existing(moment) is None


def test_knows_what_it_has() -> None:
    assert Moment(hour=5).has_time
    assert not Moment(days=1).has_time
    assert existing(Moment(hour=5)) == Moment(hour=5)
