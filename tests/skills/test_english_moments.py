from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from lumi.skills.english_moments import parse

NOW = datetime(2025, 7, 23, 15, 25, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("tomorrow at 8", "2025-07-24T08:00"),
        ("tomorrow at eight", "2025-07-24T08:00"),
        ("at 8", "2025-07-23T20:00"),
        ("at half past eight", "2025-07-23T20:30"),
        ("at quarter to six", "2025-07-23T17:45"),
        ("a quarter past nine", "2025-07-23T21:15"),
        ("ten past nine in the evening", "2025-07-23T21:10"),
        ("five to one", "2025-07-24T00:55"),
        ("at eight thirty pm", "2025-07-23T20:30"),
        ("at six forty five a m", "2025-07-24T06:45"),
        ("at 5 p.m.", "2025-07-23T17:00"),
        ("8am tomorrow", "2025-07-24T08:00"),
        ("at noon", "2025-07-24T12:00"),
        ("midnight", "2025-07-24T00:00"),
        ("tonight at 9", "2025-07-23T21:00"),
        ("at 9 tonight", "2025-07-23T21:00"),
        ("this evening at 7", "2025-07-23T19:00"),
        ("tomorrow morning at seven", "2025-07-24T07:00"),
        ("tomorrow morning", "2025-07-24T09:00"),
        ("tomorrow", "2025-07-24T09:00"),
        ("in the morning", "2025-07-24T09:00"),
        ("the day after tomorrow at ten", "2025-07-25T10:00"),
        ("in two days", "2025-07-25T09:00"),
        ("next monday", "2025-07-28T09:00"),
        ("on friday at nine", "2025-07-25T09:00"),
        ("on march 3rd at 10", "2026-03-03T10:00"),
        ("on the third of march", "2026-03-03T09:00"),
        ("on the twenty first", "2025-08-21T09:00"),
        ("in ten minutes", "2025-07-23T15:35"),
        ("ten minutes from now", "2025-07-23T15:35"),
        ("an hour later", "2025-07-23T16:25"),
        ("at 15:30", "2025-07-23T15:30"),
        ("at 08:00", "2025-07-24T08:00"),
        ("seven o'clock", "2025-07-23T19:00"),
    ],
)
def test_reads_moments(text: str, point: str) -> None:
    moment = parse(text)
    assert moment is not None
    assert moment.after(NOW) == datetime.fromisoformat(point).replace(tzinfo=NOW.tzinfo)


@pytest.mark.parametrize(
    "text", ["", "call mum", "at 25:00", "at", "8 apples", "yesterday", "on the table", "in a while"]
)
def test_refuses_what_is_none(text: str) -> None:
    assert parse(text) is None
