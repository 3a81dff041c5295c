"""Points in time in Chinese: `明天早上八点`, `下周一上午十点`, `十分钟后`, `三月五号`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lumi.skills import durations
from lumi.skills.chinese_numbers import NUMBER_ZH, chinese
from lumi.skills.moments import Half, Moment, existing

_DAYS: Mapping[str, int] = MappingProxyType(
    {"今天": 0, "今日": 0, "今": 0, "明天": 1, "明日": 1, "明": 1, "后天": 2, "大后天": 3}
)
_HALVES: Mapping[str, Half] = MappingProxyType(
    {
        "凌晨": Half.MORNING, "清晨": Half.MORNING, "早晨": Half.MORNING, "早上": Half.MORNING, "早": Half.MORNING,
        "上午": Half.MORNING, "中午": Half.NOON, "下午": Half.AFTERNOON, "傍晚": Half.AFTERNOON, "晚上": Half.NIGHT,
        "晚": Half.NIGHT, "夜里": Half.NIGHT, "半夜": Half.NIGHT,
    }
)  # fmt: skip
_WHEN = re.compile(
    rf"(?:在|于)?(?:(?P<days>大后天|后天|今天|今日|明天|明日|今(?=[早晚])|明(?=[早晚]))|(?P<in>{NUMBER_ZH})天(?:之后|以后|后)"
    rf"|(?P<weeks>下个?|这个?|本)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])"
    rf"|(?:(?P<month>{NUMBER_ZH})月)?(?P<day>{NUMBER_ZH})[号日])?的?"
    rf"(?P<half>{'|'.join(sorted(_HALVES, key=len, reverse=True))})?的?"
    rf"(?:(?P<hour>{NUMBER_ZH.replace('点', '')})(?:(?:点钟?|时)(?P<sharp>整|钟)?(?:(?P<part>半|一刻|三刻)"
    rf"|(?P<minute>{NUMBER_ZH.replace('点', '')})分?)?|:(?P<minute2>[0-9]{{2}})))?"
)
_OFFSET = re.compile(r"(?P<before>.+?)(?:之后|以后|过后|后)|(?:再过|过)(?P<after>.+)")
_PARTS = {"半": 30, "一刻": 15, "三刻": 45}


def parse(text: str) -> Moment | None:
    """The moment that a Chinese text names, whole."""
    text = text.replace(" ", "")
    if offset := _OFFSET.fullmatch(text):
        seconds = durations.parse(offset["before"] or offset["after"], "zh")
        if seconds:
            return Moment(offset_s=seconds)
    found = _WHEN.fullmatch(text)
    if found is None:
        return None
    fields = _chinese_fields(found)
    return existing(Moment(**fields)) if fields.keys() & {"days", "weekday", "day", "hour"} else None


def _chinese_fields(found: re.Match[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {"days": _DAYS[found["days"]]} if found["days"] else {}
    if found["weekday"]:
        next_week = (found["weeks"] or "").startswith("下")
        fields["weekday"] = "一二三四五六日".find(found["weekday"].replace("天", "日"))
        fields["weeks"] = 1 if next_week else None
    for name, groups in (
        ("days", "in"),
        ("month", "month"),
        ("day", "day"),
        ("hour", "hour"),
        ("minute", "minute"),
    ):
        if found[groups]:
            fields[name] = int(chinese(found[groups]) or 0)
    if found["minute2"]:
        fields["minute"] = int(found["minute2"])
    if found["half"]:
        fields["half"] = _HALVES[found["half"]]
    if found["part"]:
        fields["minute"] = _PARTS[found["part"]]
    return fields
