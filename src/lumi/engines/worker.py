"""A process of its own for an engine that may not run here: one that holds the interpreter lock, keeps global state,
crashes, or comes under another licence.

`WorkerProcess` starts the process (never by fork) when it is first needed, speaks `worker_frames` with it over its
standard input and output, and starts it again after a crash. There is no thread and no task per request: the event
loop calls us when the pipe has something.
"""

from __future__ import annotations

import asyncio
import json
import sys

from lumi.engines.worker_frames import CONTROL_STREAM, Kind, pack
from lumi.engines.worker_link import WorkerLink, WorkerSpec, WorkerStream
from lumi.errors import EngineError, EngineUnavailable

__all__ = ["WorkerProcess", "WorkerSpec", "WorkerStream", "backoff_s"]


class WorkerProcess:
    """Keeps one process for the spec: starts it when needed, again after a crash, and ends it with `aclose`."""

    def __init__(self, spec: WorkerSpec) -> None:
        self._spec = spec
        self._link: WorkerLink | None = None
        self._starting = asyncio.Lock()
        self._crashes = 0
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the running process, if there is one."""
        return self._link.pid if self._link and self._link.alive else None

    @property
    def load(self) -> int:
        """Streams open now."""
        return len(self._link.streams) if self._link else 0

    async def start(self) -> bytes:
        """Have it loaded before the first request comes; returns what the engine reports of itself."""
        return (await self._running()).ready.result()

    async def open(self, request: bytes) -> WorkerStream:
        """A new stream; raises `EngineUnavailable` if the engine cannot start."""
        link = await self._running()
        return link.open(request)

    async def aclose(self) -> None:
        """No process is left when this returns."""
        self._closed = True
        async with self._starting:  # a process just being launched is ended too
            if self._link:
                await self._link.stop()

    async def _running(self) -> WorkerLink:
        async with self._starting:
            if self._closed:
                raise EngineError(self._spec.engine, "was closed", retryable=False)
            if self._link and self._link.doomed:
                await asyncio.shield(self._link.exited)
            if self._link is None or not self._link.alive:
                await self._pause()
                self._link = await self._launch()
            link = self._link
        try:
            async with asyncio.timeout(self._spec.start_timeout_s):
                await asyncio.shield(link.ready)
        except TimeoutError:
            link.kill()
            late = f"did not start within {self._spec.start_timeout_s:g} s"
            raise EngineUnavailable(self._spec.engine, late) from None
        except EngineUnavailable:
            await link.stop()
            raise
        return link

    async def _pause(self) -> None:
        """Wait before a restart, the longer the more crashes came in a row."""
        if self._link:
            self._crashes = 1 if self._link.proved else self._crashes + 1
            await asyncio.sleep(backoff_s(self._spec.backoff_s, self._crashes))

    async def _launch(self) -> WorkerLink:
        loop = asyncio.get_running_loop()
        # -P: a file in the working directory must not pass for a module.
        _, link = await loop.subprocess_exec(
            lambda: WorkerLink(self._spec), sys.executable, "-P", "-m", "lumi.engines.worker_main"
        )
        wanted = {"target": self._spec.target, "arguments": dict(self._spec.arguments)}
        link.write(pack(Kind.OPEN, CONTROL_STREAM, json.dumps(wanted).encode()))
        return link


def backoff_s(waits_s: tuple[float, ...], crashes: int) -> float:
    """Seconds to wait before the restart after so many crashes in a row."""
    return waits_s[min(crashes, len(waits_s)) - 1]
