"""From a session's first moment to its last."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from lumi.server.latch import Latch


class Lifetime:
    """From `run` to `end`, and the small jobs on the way."""

    def __init__(self) -> None:
        self._ending = Latch()
        self._over = Latch()
        self._tasks: asyncio.TaskGroup | None = None
        self._waiting: list[
            Coroutine[Any, Any, None]
        ] = []  # bounded by what is begun before `run`, in one breath

    @property
    def ending(self) -> bool:
        return self._ending.is_set()

    def beside(self, job: Coroutine[Any, Any, None]) -> None:
        """Do a small job beside everything else; what is begun is finished."""
        if self._tasks is not None:
            self._tasks.create_task(job, name="beside")
        elif self._ending.is_set():
            job.close()
        else:
            self._waiting.append(job)

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Return when the end is asked for."""
        self._tasks = tasks
        for job in self._waiting:
            tasks.create_task(job, name="beside")
        self._waiting.clear()
        await self._ending.wait()
        self._tasks = None

    def over(self) -> None:
        self._over.set()

    async def end(self) -> None:
        """Ask for the end, and wait for it."""
        self._ending.set()
        await self._over.wait()
