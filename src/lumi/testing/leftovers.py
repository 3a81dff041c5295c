"""A guard around an asynchronous test: it may take so long, and leaves no task and no process of ours behind.

A process matters more than it seems: closing an event loop may wait for its children, so that a test that fails before it
ends them would hang instead of failing.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

import psutil

P = ParamSpec("P")
T = TypeVar("T")

PROGRAM = " -m lumi."
"""Stands in the command line of our own processes."""

LAST_STEPS = 3
"""Turns of the loop granted to tasks that were cancelled, or are done but for their last step."""


def leaving_nothing(
    test: Callable[P, Awaitable[T]], *, timeout_s: float | None = None
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Wrap `test` so that it fails with AssertionError where tasks or processes of ours that it started outlive it.

    Args:
        test: the asynchronous function.
        timeout_s: by the loop's clock; TimeoutError beyond. None: as long as it likes.
    """

    @functools.wraps(test)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        before, children = asyncio.all_tasks(), our_children()
        try:
            async with asyncio.timeout(timeout_s):
                result = await test(*args, **kwargs)
        finally:
            killed = [_kill(child) for child in our_children() - children]
        for _ in range(LAST_STEPS):
            await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() - before if not task.done()]
        if left:
            raise AssertionError(f"the test left {len(left)} task(s) behind: {sorted(map(repr, left))}")
        if killed:
            raise AssertionError(f"the test left {len(killed)} process(es) behind: {sorted(killed)}")
        return result

    return guarded


def our_children() -> set[psutil.Process]:
    """The living children of this process that run something of Lumi's."""
    return {child for child in psutil.Process().children() if PROGRAM in _command(child)}


def _command(process: psutil.Process) -> str:
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
        return ""


def _kill(process: psutil.Process) -> str:
    """End it; what it was."""
    command = _command(process)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
    return command
