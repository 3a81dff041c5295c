"""What is said when a timer rings, and how a timer is named."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lumi.engines.base import Language
from lumi.skills.durations import spoken
from lumi.store.base import Timer

LATE_FROM_S = 45.0
"""Later than this, the ring says how late it is."""

_PERSONS_EN: Mapping[str, str] = {
    "my": "your", "mine": "yours", "me": "you", "i": "you", "myself": "yourself", "our": "your", "i'm": "you're",
    "am": "are",
}  # fmt: skip
_WORD_EN = re.compile(r"[A-Za-z']+")

_RINGS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "reminder": "Reminder: {label}.",
        "named": "Your {label} timer is done.",
        "timer": "Time's up: your timer for {duration} is done.",
        "alarm": "This is your alarm.",
        "named_alarm": "This is your alarm: {label}.",
        "late": " It was due {late} ago.",
        "late_push": " This was said {late} ago.",
    },
    "zh": {
        "reminder": "提醒你：{label}。",
        "named": "{label}计时器时间到了。",
        "timer": "时间到了，{duration}的计时器响了。",
        "alarm": "闹钟响了，时间到了。",
        "named_alarm": "闹钟响了：{label}。",
        "late": "本来应该在{late}前提醒你。",
        "late_push": "这是{late}前的留言。",
    },
}


def language_of(timer: Timer) -> Language:
    return "zh" if timer.language == "zh" else "en"


def second_person(text: str, language: Language) -> str:
    """A reminder as it is said to the person who asked for it: `call my mum` → `call your mum`."""
    if language == "zh":
        return text.replace("我们", "你们").replace("我", "你")
    return _WORD_EN.sub(lambda word: _PERSONS_EN.get(word[0].lower(), word[0]), text)


def is_alarm(timer: Timer) -> bool:
    """Set for a time of day, not for a length of time."""
    return timer.kind == "timer" and timer.duration_s <= 0


def ring_text(timer: Timer, late_s: float) -> str:
    """The words of a ring; `late_s` is how long ago it was due, in seconds."""
    if timer.kind == "push":  # somebody's own words, not to be touched
        return timer.label + _lateness(timer, late_s, "late_push")
    language = language_of(timer)
    key = "reminder" if timer.kind == "reminder" else "alarm" if is_alarm(timer) else "timer"
    if timer.label and key != "reminder":
        key = "named_alarm" if key == "alarm" else "named"
    label = second_person(timer.label, language)
    text = _RINGS[language][key].format(label=label, duration=spoken(timer.duration_s, language))
    return text + _lateness(timer, late_s, "late")


def _lateness(timer: Timer, late_s: float, key: str) -> str:
    if late_s < LATE_FROM_S:
        return ""
    # Nobody wants the seconds of an hour
    rounded = round(late_s / 60) * 60 if late_s < 7200 else round(late_s / 3600) * 3600
    language = language_of(timer)
    return _RINGS[language][key].format(late=spoken(max(rounded, 60), language))
