"""The processes of a measurement: started, listened to line by line, and ended."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

from lumi.errors import LumiError

LINE_BYTES = 1 << 20
"""Longest line a process writes: the utterance, some 10 kB."""


class BenchFailed(LumiError):
    """A process of the bench ended before it should; what it said stands above."""


@asynccontextmanager
async def process(
    *arguments: str, core: int | None = None, stderr: IO[bytes] | None = None
) -> AsyncIterator[Process]:
    """A Python process that is ended on leaving. What it complains of goes to `stderr`, or where ours goes."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdin=PIPE, stdout=PIPE, stderr=stderr, limit=LINE_BYTES
    )
    try:
        if core is not None:
            os.sched_setaffinity(started.pid, {core})
        yield started
    finally:
        if started.stdin is not None:
            started.stdin.close()
        try:
            async with asyncio.timeout(10):
                await started.wait()
        except TimeoutError:
            started.kill()
            await started.wait()


async def line(process: Process, who: str) -> bytes:
    """The next line that a process writes.

    Raises:
        BenchFailed: it ended instead.
    """
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise BenchFailed(f"the {who} ended too early (exit code {await process.wait()})")
    return line
