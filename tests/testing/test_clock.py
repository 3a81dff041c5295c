from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lumi.testing.clock import MONDAY_MORNING, Deadlock, OutOfTime, VirtualTimeLoop, WallClock, run


async def test_tests_run_in_virtual_time_and_an_hour_takes_no_time() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    virtual, real = loop.time(), time.monotonic()
    await asyncio.sleep(3600)
    assert loop.time() - virtual == pytest.approx(3600)
    assert time.monotonic() - real < 5


async def test_timers_fire_in_order_and_on_time() -> None:
    loop = asyncio.get_running_loop()
    start, seen = loop.time(), []

    async def note(after_s: float) -> None:
        await asyncio.sleep(after_s)
        seen.append((after_s, round(loop.time() - start, 9)))

    async with asyncio.TaskGroup() as group:
        for after_s in (0.3, 0.1, 0.2, 0.06 * 7):
            group.create_task(note(after_s))
    assert seen == [(0.1, 0.1), (0.2, 0.2), (0.3, 0.3), (0.42, 0.42)]


async def test_a_timeout_ends_a_wait_that_never_ends() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10):
            await asyncio.Event().wait()


async def test_the_clock_stands_still_while_a_thread_works() -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    ticks = []
    release = threading.Event()

    def work() -> str:
        release.wait(0.05)
        return "done"

    async def tick() -> None:
        await asyncio.sleep(0.001)
        ticks.append(loop.time())

    async with asyncio.TaskGroup() as group:
        job = loop.run_in_executor(None, work)
        group.create_task(tick())
        assert await job == "done"
        assert not ticks
        assert loop.time() == start


async def test_other_executors_count_as_busy_too() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert await asyncio.get_running_loop().run_in_executor(pool, sum, (1, 2)) == 3


def test_deadlock_names_who_waits_and_where() -> None:
    async def wait_for_ever() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(wait_for_ever(), name="the patient one")

    with pytest.raises(Deadlock, match=r"the patient one at .*test_clock.py:\d+ in .*wait_for_ever"):
        run(main())


def test_a_loop_that_goes_round_in_circles_meets_the_horizon() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(10)

    with pytest.raises(OutOfTime, match="virtual seconds"):
        run(main(), horizon_s=3600)


def test_a_loop_that_spins_without_time_meets_the_end_of_patience() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0)

    with pytest.raises(OutOfTime, match="real seconds"):
        run(main(), patience_s=0.05)


def test_a_stuck_thread_meets_the_end_of_patience() -> None:
    release = threading.Event()

    async def main() -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(None, release.wait)
        finally:
            release.set()

    with pytest.raises(OutOfTime, match=r"1 job\(s\) in threads"):
        run(main(), patience_s=0.05)


def test_run_returns_and_raises_what_the_coroutine_does() -> None:
    async def answer() -> int:
        return 42

    async def fail() -> None:
        raise KeyError("x")

    assert run(answer()) == 42
    with pytest.raises(KeyError):
        run(fail())


async def test_wall_clock_goes_with_the_loop(wall_clock: WallClock) -> None:
    assert wall_clock() == MONDAY_MORNING
    await asyncio.sleep(90)
    assert wall_clock() == pytest.approx(MONDAY_MORNING + 90)
    wall_clock.shift(-30)
    assert wall_clock() == pytest.approx(MONDAY_MORNING + 60)


async def test_wall_clock_made_inside_a_loop_starts_there() -> None:
    clock = WallClock(5.0)
    await asyncio.sleep(2)
    assert clock() == pytest.approx(7.0)


def test_wall_clock_outside_a_loop_stands_still_but_can_be_set() -> None:
    clock = WallClock(5.0)
    assert clock() == 5.0
    clock.shift(1)
    assert clock() == 6.0


@pytest.mark.real
async def test_real_tests_run_on_a_real_loop() -> None:
    assert not isinstance(asyncio.get_running_loop(), VirtualTimeLoop)
