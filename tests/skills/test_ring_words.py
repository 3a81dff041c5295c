from __future__ import annotations

import pytest

from lumi.skills.ring_words import is_alarm, language_of, ring_text, second_person
from lumi.store.base import Timer


def timer(kind: str = "timer", label: str = "", language: str = "en", duration_s: float = 300) -> Timer:
    return Timer("1", "a", 1000.0, kind, label, language, 0.0, duration_s)


@pytest.mark.parametrize(
    ("made", "late_s", "text"),
    [
        (timer(), 0, "Time's up: your timer for 5 minutes is done."),
        (timer(label="tea"), 0, "Your tea timer is done."),
        (timer(duration_s=0), 0, "This is your alarm."),
        (timer(duration_s=0, label="work"), 0, "This is your alarm: work."),
        (timer("reminder", "call my mum", duration_s=0), 44, "Reminder: call your mum."),
        (timer("reminder", "call", duration_s=0), 50, "Reminder: call. It was due 1 minute ago."),
        (
            timer(),
            3600 * 30,
            "Time's up: your timer for 5 minutes is done. It was due 1 day and 6 hours ago.",
        ),
        (timer(language="zh"), 0, "时间到了，5分钟的计时器响了。"),
        (timer(language="zh", label="煮面"), 0, "煮面计时器时间到了。"),
        (timer(language="zh", duration_s=0), 0, "闹钟响了，时间到了。"),
        (timer(language="zh", duration_s=0, label="上班"), 0, "闹钟响了：上班。"),
        (timer("push", "Call me back.", duration_s=0), 44, "Call me back."),
        (timer("push", "Call me.", duration_s=0), 7200, "Call me. This was said 2 hours ago."),
        (timer("push", "给我打电话。", "zh", 0), 7200, "给我打电话。这是2小时前的留言。"),
        (timer("reminder", "给我妈打电话", "zh", 0), 600, "提醒你：给你妈打电话。本来应该在10分钟前提醒你。"),
    ],
)
def test_says_what_rings_and_how_late(made: Timer, late_s: float, text: str) -> None:
    assert ring_text(made, late_s) == text


def test_turns_to_the_person() -> None:
    assert (
        second_person("tell my boss that I am late and call me", "en")
        == "tell your boss that you are late and call you"
    )
    assert second_person("我们开会", "zh") == "你们开会"


def test_an_alarm_has_no_length() -> None:
    assert is_alarm(timer(duration_s=0))
    assert not is_alarm(timer())
    assert not is_alarm(timer("reminder", duration_s=0))
    assert language_of(timer(language="fr")) == "en"
