"""A guard around an asynchronous test: it may take so long, and leaves no task behind."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LAST_STEPS = 3
"""Turns of the loop granted to tasks that were cancelled, or are done but for their last step."""


def leaving_nothing(
    test: Callable[P, Awaitable[T]], *, timeout_s: float | None = None
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Wrap `test` so that it fails with AssertionError where tasks that it started outlive it.

    Args:
        test: the asynchronous function.
        timeout_s: by the loop's clock; TimeoutError beyond. None: as long as it likes.
    """

    @functools.wraps(test)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        before = asyncio.all_tasks()
        async with asyncio.timeout(timeout_s):
            result = await test(*args, **kwargs)
        for _ in range(LAST_STEPS):
            await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() - before if not task.done()]
        if left:
            raise AssertionError(f"the test left {len(left)} task(s) behind: {sorted(map(repr, left))}")
        return result

    return guarded
