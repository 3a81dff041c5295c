"""The timer wheel in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lumi.audio.wheel import TimerWheel


class Spoke:
    def __init__(self) -> None:
        self.served: list[tuple[int, Any]] = []

    def serve(self, tick: int, now: float) -> None:
        self.served.append((tick, now))


@pytest.fixture
async def wheel():
    wheel = TimerWheel(asyncio.get_running_loop(), 0.02)
    yield wheel
    wheel.stop()


async def test_ticks_are_multiples_and_a_moment_on_one_is_that_one(wheel):
    assert [wheel.tick_at(when) for when in (0.0, 0.001, 0.02, 0.0200000001, 0.021)] == [0, 1, 1, 1, 2]


async def test_serves_in_order_of_ticks_whatever_was_planned_first(wheel):
    tick = wheel.tick_at(wheel.now())
    late, early = Spoke(), Spoke()
    wheel.plan(tick + 10, late)
    wheel.plan(tick + 5, early)
    wheel.plan(tick + 10, early)
    await asyncio.sleep(1)
    assert [number for number, _ in early.served] == [tick + 5, tick + 10]
    assert late.served[0] == (tick + 10, pytest.approx((tick + 10) * 0.02))


async def test_what_is_past_is_served_at_once(wheel):
    spoke = Spoke()
    now = wheel.now()
    wheel.plan(wheel.tick_at(now) - 50, spoke)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert spoke.served
    assert wheel.now() == now


async def test_a_timer_that_fires_early_serves_its_tick_all_the_same():
    loop = asyncio.get_running_loop()
    wheel = TimerWheel(loop, 0.02)
    spoke = Spoke()
    tick = wheel.tick_at(loop.time() + 0.1)
    wheel.plan(tick, spoke)
    loop.call_at(tick * 0.02 - 0.0004, wheel._turn)
    await asyncio.sleep(0.0999)
    assert spoke.served[0] == (tick, pytest.approx(tick * 0.02))
    wheel.stop()


async def test_stop_forgets_and_tells_what(wheel):
    spoke = Spoke()
    wheel.plan(wheel.tick_at(wheel.now()) + 5, spoke)
    assert wheel.stop() == [spoke]
    assert wheel.stop() == []
    await asyncio.sleep(1)
    assert spoke.served == []
