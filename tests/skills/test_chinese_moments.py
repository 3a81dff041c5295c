from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from lumi.skills.chinese_moments import parse

NOW = datetime(2025, 7, 23, 15, 25, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("明天早上八点", "2025-07-24T08:00"),
        ("明天八点", "2025-07-24T08:00"),
        ("下午三点半", "2025-07-23T15:30"),
        ("八点", "2025-07-23T20:00"),
        ("八点二十", "2025-07-23T20:20"),
        ("八点零五分", "2025-07-23T20:05"),
        ("两点一刻", "2025-07-24T02:15"),
        ("九点三刻", "2025-07-23T21:45"),
        ("十五点", "2025-07-24T15:00"),
        ("20:30", "2025-07-23T20:30"),
        ("今晚九点", "2025-07-23T21:00"),
        ("明晚八点", "2025-07-24T20:00"),
        ("晚上十二点", "2025-07-24T00:00"),
        ("中午一点", "2025-07-24T13:00"),
        ("下周一上午十点", "2025-07-28T10:00"),
        ("周五", "2025-07-25T09:00"),
        ("星期天早上九点", "2025-07-27T09:00"),
        ("大后天", "2025-07-26T09:00"),
        ("三月五号下午两点", "2026-03-05T14:00"),
        ("五号", "2025-08-05T09:00"),
        ("三天后", "2025-07-26T15:25"),
        ("十分钟后", "2025-07-23T15:35"),
        ("半小时以后", "2025-07-23T15:55"),
        ("过五分钟", "2025-07-23T15:30"),
    ],
)
def test_reads_moments(text: str, point: str) -> None:
    moment = parse(text)
    assert moment is not None
    assert moment.after(NOW) == datetime.fromisoformat(point).replace(tzinfo=NOW.tzinfo)


@pytest.mark.parametrize("text", ["", "开会", "25点", "以后", "早上好", "十三月五号", "晚上"])
def test_refuses_what_is_none(text: str) -> None:
    assert parse(text) is None
