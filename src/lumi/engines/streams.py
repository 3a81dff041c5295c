"""Reading an engine's stream with patience, and letting go of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from lumi.errors import EngineError, Trouble

T = TypeVar("T")


async def close(stream: AsyncIterator[T]) -> None:
    """Close a stream if it can be closed (a generator can)."""
    if isinstance(stream, AsyncGenerator):
        await stream.aclose()


class Patience:
    """How long to wait for each item of a stream.

    Args:
        engine: named in the error.
        limit_s: None: for ever.
        running: whether time counts from the start; else from `run` on.
    """

    def __init__(self, engine: str, limit_s: float | None, *, running: bool = True) -> None:
        self._engine = engine
        self._limit_s = limit_s
        self._running = running
        self._since: float | None = None
        self._timer: asyncio.Timeout | None = None
        self.items = 0
        """Read so far."""
        self.waited_s = 0.0
        """For the next item in vain, when the reading was given up."""

    def run(self) -> None:
        """From now on time counts."""
        if not self._running:
            self._running = True
            self._begin()

    async def read(self, stream: AsyncIterator[T]) -> AsyncGenerator[T, None]:
        """Pass a stream on, and close it.

        Raises:
            EngineError: no item in time (`Trouble.SLOW`).
        """
        try:
            while True:
                try:
                    item = await self._next(stream)
                except StopAsyncIteration:
                    return
                self.items += 1
                yield item
        finally:
            await close(stream)

    async def _next(self, stream: AsyncIterator[T]) -> T:
        timer = self._timer = asyncio.timeout(None)
        try:
            async with timer:
                self._begin()
                return await anext(stream)
        except TimeoutError:
            if not timer.expired():
                raise
            message = f"no answer within {self._limit_s:g} s"
            raise EngineError(self._engine, message, trouble=Trouble.SLOW) from None
        except asyncio.CancelledError:
            now = asyncio.get_running_loop().time()
            self.waited_s = 0.0 if self._since is None else now - self._since
            raise
        finally:
            self._timer = self._since = None

    def _begin(self) -> None:
        if self._running and self._timer is not None:
            self._since = asyncio.get_running_loop().time()
            if self._limit_s is not None:
                self._timer.reschedule(self._since + self._limit_s)
