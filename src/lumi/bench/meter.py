"""CPU time, memory and threads of a process and its children."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Reading:
    """What a process tree had used at one moment."""

    at_s: float
    """On the clock of whoever read."""
    cpu_s: float
    """CPU seconds since its start, user and system, all children counted."""
    rss_bytes: int
    threads: int
    """Of the process itself; its children are counted apart."""
    processes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Between two readings. CPU in percent of one core."""

    cpu_percent: float
    rss_mb: float
    threads: int
    processes: int


def read(pid: int, at_s: float) -> Reading:
    """Read a process tree now.

    Raises:
        psutil.NoSuchProcess: the process itself is gone.
    """
    process = psutil.Process(pid)
    own = process.cpu_times()
    reading = Reading(at_s, own.user + own.system, process.memory_info().rss, process.num_threads(), 1)
    for child in process.children(recursive=True):
        try:
            times, memory = child.cpu_times(), child.memory_info()
        except psutil.NoSuchProcess:  # it ended while we were reading
            continue
        reading = Reading(
            at_s,
            reading.cpu_s + times.user + times.system,
            reading.rss_bytes + memory.rss,
            reading.threads,
            reading.processes + 1,
        )
    return reading


def between(before: Reading, after: Reading) -> Usage:
    """What was used from one reading to the next; memory, threads and processes as they are at the end."""
    seconds = max(after.at_s - before.at_s, 1e-9)
    return Usage(
        cpu_percent=100 * (after.cpu_s - before.cpu_s) / seconds,
        rss_mb=after.rss_bytes / 1e6,
        threads=after.threads,
        processes=after.processes,
    )
