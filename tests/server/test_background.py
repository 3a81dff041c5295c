import asyncio

import pytest

from lumi.server.background import Background


async def test_what_was_started_ends_with_the_body():
    ended = []

    async def job(name: str) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(name)

    async with Background() as background:
        background.start("a", job("a"))
        background.start("b", job("b"))
        await asyncio.sleep(1)
    assert sorted(ended) == ["a", "b"]


async def test_an_error_of_the_body_stays_what_it_is():
    async def body() -> None:
        async with Background() as background:
            background.start("a", asyncio.sleep(1000))
            raise ValueError("plain")

    with pytest.raises(ValueError, match="plain"):
        await body()


async def test_a_job_that_breaks_ends_the_body():
    async def job() -> None:
        await asyncio.sleep(1)
        raise ZeroDivisionError

    with pytest.RaisesGroup(ZeroDivisionError):
        async with Background() as background:
            background.start("a", job())
            await asyncio.sleep(1000)


async def test_a_job_that_is_done_is_forgotten():
    async with Background() as background:
        task = background.start("a", asyncio.sleep(1))
        await task
        assert background._tasks == set()
