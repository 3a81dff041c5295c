"""A model that speaks for itself gets a guarded tool only in the turn of a clear yes, and nobody but the user says it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from lumi.engines.base import Speaker, ToolCall, ToolSpec
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.testing.tools import ScriptedTools
from lumi.tools.asking import AskingTools
from lumi.tools.confirmation import KEPT_S, ONE_AT_A_TIME, Confirmation
from lumi.tools.once import Once
from lumi.tools.toolbox import Toolbox, ToolboxSettings

ANY = {"type": "object"}
OPEN = ToolCall("1", "house_open", '{"door": "front", "wide": true}')


class House:
    """Tools, and the one session that has them."""

    def __init__(self) -> None:
        guarded = [ToolSpec(name, "", ANY, confirm=True) for name in ("open", "buy")]
        self.tools = ScriptedTools(["lamp", *guarded], name="house")
        self.toolbox = Toolbox([self.tools], ToolboxSettings(), Once(MemoryStore().acts, WallClock()))
        self.confirmation = Confirmation()
        self.turns = 0

    async def turn(self, words: str, *calls: ToolCall) -> list[str]:
        """What the model is told of its calls."""
        self.turns += 1
        tools = AskingTools(self.toolbox, self.confirmation)
        speaker = Speaker(device_id="d", turn_id=str(self.turns), words=words)
        assert {spec.name for spec in await tools.specs(speaker)} == {"house_lamp", "house_open", "house_buy"}
        return [(await tools.call(call, speaker)).text for call in calls]

    @property
    def done(self) -> list[str]:
        return [call.name for call in self.tools.calls]


@pytest.fixture
def house() -> House:
    return House()


async def test_what_is_not_guarded_is_done_at_once(house: House) -> None:
    assert await house.turn("light please", ToolCall("1", "house_lamp", "{}")) == ["done"]


async def test_a_clear_yes_in_the_next_turn_lets_the_very_same_call_through_once(house: House) -> None:
    (told,) = await house.turn("open up", OPEN)
    assert 'exactly this: "Shall I really do this: open, with door: front, wide: true?' in told
    assert house.done == []
    again = replace(OPEN, id="9", arguments='{"wide":true,"door":"front"}')
    assert await house.turn("Yes, please.", again) == ["done"]
    assert house.done == ["open"]
    (told,) = await house.turn("yes", OPEN)
    assert told.startswith("Not done yet")
    assert house.done == ["open"]


@pytest.mark.parametrize("words", ["open up", "yes and buy milk", "", "maybe"])
async def test_nothing_else_does(house: House, words: str) -> None:
    await house.turn("open up", OPEN)
    (told,) = await house.turn(words, OPEN)
    assert told.startswith("Not done yet")
    assert house.done == []


async def test_a_yes_is_for_what_was_asked_alone(house: House) -> None:
    await house.turn("open up", OPEN)
    back = replace(OPEN, arguments='{"door": "back", "wide": true}')
    assert (await house.turn("yes", back))[0].startswith("Not done yet")
    await house.turn("open up", OPEN)
    await house.turn("is it raining")
    assert (await house.turn("yes", OPEN))[0].startswith("Not done yet"), "the question was closed"
    assert house.done == []


async def test_a_yes_in_the_same_turn_is_none(house: House) -> None:
    told = await house.turn("yes", OPEN, OPEN, ToolCall("3", "house_buy", "{}"))
    assert [text[:12] for text in told[:2]] == ["Not done yet"] * 2
    assert told[2] == ONE_AT_A_TIME


async def test_a_no_is_told(house: House) -> None:
    await house.turn("open up", OPEN)
    assert await house.turn("no, thanks", OPEN) == ["Not done: the user has said no."]


async def test_a_late_yes_is_none(house: House) -> None:
    await house.turn("open up", OPEN)
    await asyncio.sleep(KEPT_S + 1)
    assert (await house.turn("yes", OPEN))[0].startswith("Not done yet")
