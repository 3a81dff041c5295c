from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema.validators import Draft202012Validator
from tests.skills.conftest import Talk, Talks

from lumi.engines.base import ToolCall
from lumi.errors import ToolError
from lumi.skills.as_tools import OFFERS, SkillTools
from lumi.skills.assistant import SkillsLlm


class Box:
    """The tools of one talk."""

    def __init__(self, talk: Talk) -> None:
        async def skills() -> SkillsLlm:
            return talk.llm

        self.talk = talk
        self.tools = SkillTools(skills, lambda: talk.now)

    async def use(self, name: str, **arguments: Any) -> str:
        return (await self.tools.call(ToolCall("1", name, json.dumps(arguments)), self.talk.speaker)).text


@pytest.fixture
def box(talks: Talks) -> Box:
    return Box(talks())


async def test_the_schemas_are_schemas(box: Box):
    specs = await box.tools.specs(box.talk.speaker)
    assert len(specs) == len(OFFERS) == 15
    for spec in specs:
        Draft202012Validator.check_schema(spec.parameters)
        assert spec.description
        assert len(spec.name) <= 40


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("get_time", {}, "It's 3:25 PM."),
        ("get_time", {"place": "Paris"}, "In Paris it's 9:25 AM"),
        ("get_date", {}, "Wednesday, July 23, 2025"),
        ("calculate", {"sum": "(3 + 4) * 12"}, "84"),
        ("convert_units", {"quantity": "5 miles", "unit": "kilometers"}, "8.05"),
        ("list_timers", {}, "no timer"),
        ("read_list", {}, "empty"),
        ("cancel_timer", {"all": True}, "no timer"),
        ("cancel_reminder", {}, "no reminder"),
        ("list_reminders", {}, "no reminder"),
    ],
)
async def test_what_can_be_looked_up(box: Box, name: str, arguments: Any, said: str):
    assert said.lower() in (await box.use(name, **arguments)).lower()


async def test_timers_are_those_of_the_skills(box: Box):
    assert (
        await box.use("set_timer", seconds=90, label="tea")
        == "All right: 1 minute and 30 seconds for tea, starting now."
    )
    assert "tea" in await box.talk.say("what timers do I have")
    assert "cancelled" in await box.use("cancel_timer", label="tea")
    assert "no timer" in await box.talk.say("what timers do I have")
    assert "from one second" in await box.use("set_timer", seconds=-5)


async def test_reminders_and_alarms_are_in_the_users_own_time(box: Box):
    assert "6:30 PM" in await box.use("set_reminder", text="call mum", at="2025-07-23T18:30")
    assert "6:30 PM" in await box.talk.say("what reminders do I have")
    assert "7:00 AM" in await box.use("set_alarm", at="2025-07-23T23:00:00+00:00")
    assert "I can set timers" in await box.use("set_alarm", at="2020-01-01T00:00")
    assert "cancelled" in await box.use("cancel_reminder", label="mum")


async def test_lists_are_those_of_the_skills(box: Box):
    await box.use("add_to_list", items="milk, eggs")
    await box.use("add_to_list", items="call the bank", list="todo")
    assert "milk and eggs" in await box.talk.say("what is on my shopping list")
    await box.use("remove_from_list", items="milk")
    assert "milk" not in await box.use("read_list", list="shopping")
    assert "bank" in await box.use("read_list", list="todo")


async def test_it_answers_in_the_speakers_language(talks: Talks):
    box = Box(talks("zh"))
    assert "点" in await box.use("get_time")
    assert "巴黎" in await box.use("get_time", place="巴黎")
    assert "Paris" in await box.use("get_time", place="Paris")
    assert await box.use("flip_coin")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("get_time", {"place": "Atlantis"}, "accepted: a large city"),
        ("calculate", {"sum": "the meaning of life"}, "accepted: a sum"),
        ("convert_units", {"quantity": "many", "unit": "miles"}, "accepted: a number and a unit"),
        ("set_alarm", {"at": "soon"}, "2026-01-31T18:30"),
        ("set_reminder", {"at": "2025-07-23T18:30"}, "make no sense|text"),
        ("add_to_list", {"items": " "}, "1 to 120"),
        ("read_list", {"list": "x" * 90}, "too long"),
        ("set_timer", {"seconds": 60, "label": "x" * 500}, "at most 120"),
        ("set_timer", {}, "seconds"),
        ("dance", {}, "no such tool"),
    ],
)
async def test_what_makes_no_sense_is_said(box: Box, name: str, arguments: Any, said: str):
    with pytest.raises(ToolError, match=said):
        await box.use(name, **arguments)
    await box.tools.aclose()
