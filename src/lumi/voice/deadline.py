"""Streams that must not stall."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from lumi.engines.streams import close
from lumi.errors import EngineError, Trouble

__all__ = ["close", "within"]

T = TypeVar("T")


async def within(stream: AsyncIterator[T], *, engine: str, timeout_s: float) -> AsyncGenerator[T, None]:
    """Pass a stream on; no item within `timeout_s` raises `EngineError` and closes the stream.

    Closing this generator closes the stream behind it, so that a cancelled turn stops the work at once.
    """
    try:
        while True:
            try:
                async with asyncio.timeout(timeout_s):
                    item = await anext(stream)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise EngineError(engine, f"no answer within {timeout_s:g} s", trouble=Trouble.SLOW) from None
            yield item
    finally:
        await close(stream)
