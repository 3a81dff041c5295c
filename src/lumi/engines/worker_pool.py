"""Several worker processes that do the same work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lumi.engines.worker import WorkerProcess
from lumi.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from lumi.engines.worker import WorkerSpec, WorkerStream


class WorkerPool:
    """Gives each request to the worker with the fewest.

    Raises:
        ConfigError: `workers` is not at least one.
    """

    def __init__(self, spec: WorkerSpec, workers: int = 1) -> None:
        if workers < 1:
            raise ConfigError(f"{spec.engine}.workers", f"is {workers}; at least 1 process is needed")
        self._workers = tuple(WorkerProcess(spec) for _ in range(workers))

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the processes that run now."""
        return tuple(worker.pid for worker in self._workers if worker.pid is not None)

    async def start(self) -> bytes:
        """Have all of them loaded; returns the engine's report. Raises `EngineUnavailable`."""
        try:
            async with asyncio.TaskGroup() as group:
                starting = [group.create_task(worker.start()) for worker in self._workers]
        except* EngineError as failed:
            raise failed.exceptions[0] from None
        return starting[0].result()

    async def open(self, request: bytes) -> WorkerStream:
        return await min(self._workers, key=lambda worker: worker.load).open(request)

    async def aclose(self) -> None:
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(worker.aclose())
