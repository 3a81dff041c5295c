from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.skills.conftest import Talk, Talks

from lumi.skills.timers import MAX_PER_OWNER


@asynccontextmanager
async def ringing(talk: Talk) -> AsyncIterator[None]:
    """Let what is due ring."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(talk.timers.run())
        await asyncio.sleep(0.01)
        yield
        task.cancel()


@pytest.mark.parametrize(
    ("language", "setting", "rings", "snooze", "snoozed", "stop", "stopped"),
    [
        ("en", "set a tea timer for five minutes", "Your tea timer is done.", "snooze", "I'll ring again in 9 minutes.",
         "stop", "All right, it's off."),
        ("zh", "设一个五分钟的泡茶计时器", "泡茶计时器时间到了。", "再睡五分钟", "好的，5分钟后再叫你。", "停", "好的，关掉了。"),
    ],
)  # fmt: skip
async def test_rings_is_snoozed_rings_again_and_is_stopped(
    language: str, setting: str, rings: str, snooze: str, snoozed: str, stop: str, stopped: str, talks: Talks
) -> None:
    talk = talks(language)
    await talk.say(setting)
    talk.now += 301
    async with ringing(talk):
        assert talk.rung == [rings]
    assert await talk.say(snooze) == snoozed
    talk.now += 541 if language == "en" else 301
    async with ringing(talk):
        assert talk.rung == [rings, rings]
    assert await talk.say(stop) == stopped
    assert await talk.say(stop) in {"All right.", "好的。"}


async def test_cancelling_what_has_rung_silences_it(talk: Talk) -> None:
    await talk.say("set a timer for five seconds")
    talk.now += 6
    async with ringing(talk):
        pass
    assert await talk.say("stop the timer") == "All right, it's off."
    assert await talk.say("stop the timer") == "There is no timer running."


async def test_how_much_is_left_counts_down(talk: Talk) -> None:
    await talk.say("set a timer for five minutes")
    talk.now += 90
    assert await talk.say("how much time is left") == "3 minutes and 30 seconds left."
    assert await talk.say("还剩多少时间") == "还剩3分钟30秒。"
    await talk.say("set a timer for one hour")
    assert (await talk.say("how much time is left")).startswith("You have 2 timers")
    assert await talk.say("how much time is left on the bread timer") == "I have no “bread” timer."


async def test_timers_outlive_the_process(talks: Talks) -> None:
    before = talks()
    await before.say("set a pasta timer for ten minutes")
    after = talks(store=before.store)
    after.now += 60
    assert await after.say("what timers do i have") == "One timer: pasta with 9 minutes left."
    assert await after.say("cancel the pasta timer") == "The timer is cancelled."


async def test_a_part_of_a_name_is_enough(talk: Talk) -> None:
    await talk.say("set a timer for ten minutes called green tea")
    await talk.say("set a timer for ten minutes called soup")
    assert await talk.say("cancel the tea timer") == "The timer is cancelled."


async def test_there_is_a_bound(talk: Talk) -> None:
    for _ in range(MAX_PER_OWNER):
        await talk.say("set a timer for ten minutes")
    assert await talk.say("set a timer for ten minutes") == (
        "You have 25 timers and reminders already. Cancel one first."
    )
    assert (
        await talk.say("remind me to sleep at 9 pm")
        == "You have 25 timers and reminders already. Cancel one first."
    )
    assert await talk.say("cancel all timers") == "25 timers are cancelled."


async def test_snoozing_has_bounds_too(talk: Talk) -> None:
    await talk.say("set a timer for five seconds")
    talk.now += 6
    async with ringing(talk):
        pass
    assert await talk.say("snooze for zero seconds") == "I can set timers from one second to one year."
    for _ in range(MAX_PER_OWNER):
        await talk.say("set a timer for ten minutes")
    assert (await talk.say("snooze")).startswith("You have 25 timers")


async def test_one_of_each_is_named_as_what_it_is(talk: Talk) -> None:
    await talk.say("set an alarm for six pm")
    await talk.say("set a timer for ten minutes")
    assert await talk.say("cancel the alarm") == "The alarm is cancelled."
    assert await talk.say("what timers do i have") == "One timer: one for 10 minutes with 10 minutes left."
    await talk.say("set an alarm for six pm")
    assert await talk.say("cancel all alarms") == "The alarm is cancelled."
