import asyncio
import random
from contextlib import asynccontextmanager

import pytest

from lumi.engines.base import ChatMessage, Prompt, Speaker, TextDelta
from lumi.server.background import Background
from lumi.server.bells import Bells
from lumi.store.base import Timer
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock

START = 1_767_605_400.0


class Bedside:
    """Devices that are there or not, and what they heard."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.heard: list[tuple[str, str, str, float]] = []

    async def push(self, device_id: str, text: str, *, kind: str, notice_id: str, due_at: float) -> bool:
        if device_id in self.there:
            self.heard.append((device_id, text, kind, due_at))
        return device_id in self.there


@asynccontextmanager
async def ringing():
    store, bedside = MemoryStore(), Bedside()
    bells = Bells(store, WallClock(), bedside.push)
    for owner in ("a", "b"):
        await store.timers.add(Timer(f"of {owner}", owner, START + 60, "timer", "", "en", START, 60.0))
    async with Background() as background:
        background.start("bells", bells.run())
        yield store, bells, bedside


async def test_a_timer_rings_on_its_owners_device_when_it_is_due():
    async with ringing() as (store, _, bedside):
        bedside.there = {"a"}
        await asyncio.sleep(59)
        assert bedside.heard == []
        await asyncio.sleep(2)
        ((device, text, kind, due_at),) = bedside.heard
        assert (device, kind, due_at) == ("a", "timer", START + 60)
        assert "timer" in text
        assert not await store.timers.of("a")
        assert await store.timers.of("b")


async def test_a_device_that_comes_back_hears_at_once_what_it_missed():
    async with ringing() as (_, bells, bedside):
        await asyncio.sleep(600.5)
        assert bedside.heard == []
        bedside.there = {"a", "b"}
        bells.present("a")
        bells.present("b")
        await asyncio.sleep(0.1)
        assert sorted(heard[0] for heard in bedside.heard) == ["a", "b"]
        assert "ago" in bedside.heard[0][1]


@pytest.mark.parametrize("rounds", [1, 3])
async def test_being_there_twice_rings_once(rounds):
    async with ringing() as (_, bells, bedside):
        bedside.there = {"a"}
        for _ in range(rounds):
            bells.present("a")
        await asyncio.sleep(300)
        assert [heard[0] for heard in bedside.heard] == ["a"]


async def test_a_timer_set_in_words_rings():
    async with ringing() as (_, bells, bedside):
        bedside.there = {"c"}
        skills = bells.skills(random.Random(1))
        asked = (ChatMessage("user", "set a timer for five minutes"),)
        reply = skills.reply(Prompt(asked, Speaker(device_id="c")))
        assert "5 minutes" in "".join([event.text async for event in reply if isinstance(event, TextDelta)])
        await asyncio.sleep(299)
        assert bedside.heard == []
        await asyncio.sleep(2)
        ((device, text, _, due_at),) = bedside.heard
        assert (device, due_at) == ("c", START + 300)
        assert "5 minutes" in text
        await skills.aclose()


async def test_what_rang_and_was_not_said_waits_again():
    async with ringing() as (store, bells, bedside):
        bedside.there = {"a"}
        await asyncio.sleep(61)
        assert [heard[0] for heard in bedside.heard] == ["a"]
        bedside.there = set()
        bells.unsaid("of a")
        bells.unsaid("of a")
        bells.unsaid("another's")
        await asyncio.sleep(1)
        assert [timer.id for timer in await store.timers.of("a")] == ["of a"]
        assert bells.timers.last_rung("a") is None
        bedside.there = {"a"}
        bells.present("a")
        await asyncio.sleep(1)
        assert [heard[0] for heard in bedside.heard] == ["a", "a"]
        assert not await store.timers.of("a")


async def test_what_was_not_said_when_the_server_stopped_is_put_back_as_the_last_thing():
    async with ringing() as (store, bells, bedside):
        bedside.there = {"a"}
        await asyncio.sleep(61)
    bells.unsaid("of a")
    await bells.settle()
    assert [timer.id for timer in await store.timers.of("a")] == ["of a"]


async def test_a_store_that_fails_then_is_told_of_and_stops_nothing(caplog):
    async with ringing() as (store, bells, bedside):
        bedside.there = {"a", "b"}
        await asyncio.sleep(61)
        await store.aclose()
        bells.unsaid("of a")
        await bells.settle()
    assert "a timer is lost" in caplog.text
