import asyncio
from collections.abc import AsyncIterator

import pytest

from lumi.errors import EngineError
from lumi.voice.deadline import close, within


class Counting:
    """A stream that is no generator: there is nothing to close."""

    def __init__(self, count: int, wait_s: float = 0.0) -> None:
        self._left = count
        self._wait_s = wait_s

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        await asyncio.sleep(self._wait_s)
        if not self._left:
            raise StopAsyncIteration
        self._left -= 1
        return self._left


async def test_a_stream_in_time_passes_unchanged() -> None:
    assert [item async for item in within(Counting(3, 1), engine="x", timeout_s=2)] == [2, 1, 0]


async def test_a_stall_names_the_engine_and_closes_the_stream() -> None:
    closed = []

    async def stalls() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(60)
        finally:
            closed.append(True)

    with pytest.raises(EngineError, match="slowpoke: no answer within 5 s"):
        async for _ in within(stalls(), engine="slowpoke", timeout_s=5):
            pass
    assert closed == [True]


async def test_what_cannot_be_closed_is_left_alone() -> None:
    await close(Counting(1))
