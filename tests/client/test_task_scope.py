from __future__ import annotations

import asyncio

import pytest

from lumi.client.task_scope import TaskScope


async def test_leaving_cancels_and_awaits_the_tasks():
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            ended.append("work")

    async with TaskScope() as scope:
        scope.start(work(), name="work")
        await asyncio.sleep(0)
    assert ended == ["work"]


async def test_the_body_s_own_error_comes_out_as_it_is():
    async def body() -> None:
        async with TaskScope() as scope:
            scope.start(asyncio.sleep(1000), name="idle")
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await body()


async def test_a_task_that_breaks_ends_the_body_and_is_told():
    async def broken() -> None:
        raise KeyError("bug")

    async def body() -> None:
        async with TaskScope() as scope:
            scope.start(broken(), name="broken")
            await asyncio.sleep(1000)

    with pytest.raises(ExceptionGroup) as caught:
        await body()
    assert caught.group_contains(KeyError)


async def test_cancelling_the_body_from_outside_stays_a_cancellation():
    async def body() -> None:
        async with TaskScope() as scope:
            scope.start(asyncio.sleep(1000), name="idle")
            await asyncio.sleep(1000)

    task = asyncio.create_task(body())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
