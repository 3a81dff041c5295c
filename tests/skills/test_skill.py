from __future__ import annotations

import random
from zoneinfo import ZoneInfo

import pytest

from lumi.engines.base import ChatMessage, Speaker
from lumi.skills.skill import Request, zone
from lumi.skills.wording import Wording


def request(speaker: Speaker, *before: ChatMessage) -> Request:
    return Request("", "en", speaker, "X", {"a": 1}, 0.0, Wording({"k": "v"}, random.Random(1)), before)


@pytest.mark.parametrize("name", ["", "Nowhere/Else", "../etc/passwd", "a\0b"])
def test_a_time_zone_nobody_knows_is_utc(name: str) -> None:
    assert zone(name) == ZoneInfo("UTC")


def test_knows_whose_and_when_and_what_was_said() -> None:
    asked = request(
        Speaker("d", session_id="s", timezone="Asia/Tokyo"),
        ChatMessage("assistant", "hi"),
        ChatMessage("user", "x"),
    )
    assert asked.owner == "d"
    assert asked.local_now.isoformat() == "1970-01-01T09:00:00+09:00"
    assert asked.last_said == "hi"
    assert asked.slot("a", int) == 1
    assert asked.slot("a", str) is None
    assert asked.say("k", "happy").text == "v"


def test_a_speaker_without_a_device_is_its_session() -> None:
    assert request(Speaker(session_id="s")).owner == "s"
    assert request(Speaker()).last_said == ""
