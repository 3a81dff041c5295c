from __future__ import annotations

import asyncio

import pytest

from lumi.testing.clock import run
from lumi.testing.leftovers import leaving_nothing


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


def test_a_task_left_behind_is_named() -> None:
    async def test() -> None:
        test.task = asyncio.create_task(_sleep(60), name="the straggler")  # type: ignore[attr-defined]

    with pytest.raises(AssertionError, match=r"left 1 task\(s\) behind.*the straggler"):
        run(leaving_nothing(test)())


def test_a_task_in_its_last_step_is_no_leftover() -> None:
    async def test(answer: int) -> int:
        task = asyncio.create_task(_sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        return answer

    assert run(leaving_nothing(test)(42)) == 42


def test_tasks_that_were_there_before_are_none_of_its_business() -> None:
    async def test() -> None:
        await asyncio.sleep(0)

    async def main() -> None:
        fixture = asyncio.create_task(_sleep(60))
        await leaving_nothing(test)()
        fixture.cancel()

    run(main())


def test_a_test_that_takes_too_long_is_ended() -> None:
    with pytest.raises(TimeoutError):
        run(leaving_nothing(_sleep, timeout_s=1)(2))
