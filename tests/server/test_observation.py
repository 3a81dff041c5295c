"""What is gathered for the operator, from a house that lives."""

from __future__ import annotations

import asyncio

from lumi.server.load_history import EVERY_S
from lumi.server.log import Subject, logger
from lumi.server.observation import Observation
from lumi.testing.clock import WallClock
from lumi.testing.rehearsal import Rehearsal


async def test_turns_load_and_problems_are_gathered_while_it_runs():
    clock = WallClock()
    seen = Observation(clock)
    async with Rehearsal(turns=seen.turns, wall_clock=clock) as house, house.device() as device:
        seen.watch(house.services, house.sessions, house.gateway)
        watching = asyncio.create_task(seen.run())
        await device.hello()
        await device.chat("good morning")
        await asyncio.sleep(EVERY_S + 1)
        logger(Subject.VOICE).warning("something")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        logger(Subject.VOICE).warning("too late")
        sample = seen.load.last
    assert sample is not None
    assert (sample.sessions, sample.links, sample.turns) == (1, 1, 1)
    assert sample.memory_bytes > 0
    assert [one.event for one in seen.problems.all()] == ["something"]
    assert seen.now - seen.started_at > EVERY_S
