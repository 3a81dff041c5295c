import asyncio
from collections.abc import AsyncIterator

import pytest

from lumi.engines.streams import Patience, close
from lumi.errors import EngineError, Trouble


class Counting:
    """Gives numbers, each after a time."""

    def __init__(self, *waits_s: float) -> None:
        self.closed = False
        self._waits_s = waits_s

    async def numbers(self) -> AsyncIterator[int]:
        try:
            for number, wait_s in enumerate(self._waits_s):
                await asyncio.sleep(wait_s)
                yield number
        finally:
            self.closed = True


async def test_a_stream_in_time_is_passed_on_and_closed():
    source = Counting(1, 1, 1)
    patience = Patience("e", 2)
    assert [number async for number in patience.read(source.numbers())] == [0, 1, 2]
    assert source.closed
    assert patience.items == 3


async def test_a_slow_item_is_an_error_that_says_so_and_ends_the_stream():
    source = Counting(1, 5)
    with pytest.raises(EngineError, match="no answer within 2 s") as caught:
        assert [number async for number in Patience("e", 2).read(source.numbers())]
    assert caught.value.trouble is Trouble.SLOW
    assert source.closed


async def test_the_readers_own_time_does_not_count():
    patience = Patience("e", 2)
    async for _ in patience.read(Counting(1, 1).numbers()):
        await asyncio.sleep(60)
    assert patience.items == 2


async def test_time_may_begin_to_count_later():
    patience = Patience("e", 2, running=False)
    asyncio.get_running_loop().call_later(30, patience.run)
    began = asyncio.get_running_loop().time()
    with pytest.raises(EngineError):
        assert [number async for number in patience.read(Counting(100).numbers())]
    assert asyncio.get_running_loop().time() - began == pytest.approx(32)


async def test_whoever_gives_up_can_see_how_long_it_waited():
    patience = Patience("e", None)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(7):
            assert [number async for number in patience.read(Counting(100).numbers())]
    assert patience.waited_s == pytest.approx(7)
    assert patience.items == 0


async def test_an_engines_own_timeout_stays_what_it_is():
    async def broken() -> AsyncIterator[int]:
        raise TimeoutError("mine")
        yield 1

    with pytest.raises(TimeoutError, match="mine"):
        assert [number async for number in Patience("e", 5).read(broken())]


async def test_what_cannot_be_closed_is_left_alone():
    class Plain:
        def __aiter__(self) -> AsyncIterator[int]:
            return self

        async def __anext__(self) -> int:
            raise StopAsyncIteration

    await close(Plain())
