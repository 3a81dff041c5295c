"""How the server fared over the last two hours: processor, memory, sessions, and how long turns took.

One sample every ten seconds, in a ring. Reading the processes blocks, so a thread does it.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

from msgspec import Struct

from lumi.server.turn_history import TurnHistory

EVERY_S = 10.0
KEPT = 720
"""Two hours."""


class Sample(Struct, frozen=True, kw_only=True):
    """Ten seconds. `cpu_percent` of one core, and `memory_bytes`, of the server and its engines' processes.

    `latency_ms`: by stage the median and the 95th percentile, from the end of the user's words to the stage's first
    result, of the turns that ended meanwhile.
    """

    at: float
    cpu_percent: float
    memory_bytes: int
    processes: int
    sessions: int
    links: int
    turns: int
    failures: int
    late_frames: int
    lag_ms: float
    """How late the server's loop came back to this measurement."""
    latency_ms: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Used:
    """By the server and its children, so far and now."""

    cpu_s: float
    memory_bytes: int
    processes: int


def used() -> Used:
    """Read now; blocks. Raises OSError: it cannot be told."""
    import psutil  # a server that starts has better things to do

    try:
        return _used(psutil)
    except psutil.Error as error:
        raise OSError(str(error)) from error


def _used(psutil: ModuleType) -> Used:
    here = psutil.Process()
    cpu_s, memory, count = 0.0, 0, 0
    for process in (here, *here.children(recursive=True)):
        try:
            times, rss = process.cpu_times(), process.memory_info().rss
        except psutil.Error:  # it ended while we were reading
            continue
        cpu_s, memory, count = cpu_s + times.user + times.system, memory + rss, count + 1
    return Used(cpu_s, memory, count)


class LoadHistory:
    """Owns the ring; `run` fills it.

    Args:
        turns: whose latencies are shown.
        wall_clock: UNIX seconds.
        sessions, links: how many there are.
        late_frames: packets sent late so far.
        read: what the processes use.
    """

    def __init__(
        self,
        turns: TurnHistory,
        wall_clock: Callable[[], float],
        *,
        sessions: Callable[[], int],
        links: Callable[[], int],
        late_frames: Callable[[], int],
        read: Callable[[], Used] = used,
    ) -> None:
        self._turns = turns
        self._wall_clock = wall_clock
        self._sessions = sessions
        self._links = links
        self._late_frames = late_frames
        self._read = read
        self._ring: deque[Sample] = deque(maxlen=KEPT)
        self._last_turn = 0
        self._last_late = 0

    def after(self, at: float) -> list[Sample]:
        """Samples taken after a moment, in order."""
        return [sample for sample in self._ring if sample.at > at]

    @property
    def last(self) -> Sample | None:
        return self._ring[-1] if self._ring else None

    async def run(self) -> None:
        """For ever: take samples."""
        loop = asyncio.get_running_loop()
        before, since = await self._look(), loop.time()
        while True:
            due = loop.time() + EVERY_S
            await asyncio.sleep(EVERY_S)
            lag_ms = (loop.time() - due) * 1000
            now, at = await self._look(), loop.time()
            if now is not None and before is not None:
                percent = 100 * max(0.0, now.cpu_s - before.cpu_s) / (at - since)
                self._ring.append(self._sample(now, percent, lag_ms))
            if now is not None:
                before, since = now, at

    async def _look(self) -> Used | None:
        """None: it cannot be read now, e.g. since no file can be opened any more."""
        try:
            return await asyncio.to_thread(self._read)
        except OSError:
            return None

    def _sample(self, now: Used, cpu_percent: float, lag_ms: float) -> Sample:
        ended = self._turns.after(self._last_turn)
        turns, self._last_turn = self._turns.count - self._last_turn, self._turns.count
        late, self._last_late = self._late_frames() - self._last_late, self._late_frames()
        stages = sorted({stage for turn in ended for stage in turn.latency_ms})
        return Sample(
            at=self._wall_clock(),
            cpu_percent=round(cpu_percent, 1),
            memory_bytes=now.memory_bytes,
            processes=now.processes,
            sessions=self._sessions(),
            links=self._links(),
            turns=turns,
            failures=sum(bool(turn.failures) for turn in ended),
            late_frames=late,
            lag_ms=round(max(0.0, lag_ms), 1),
            latency_ms={
                stage: percentiles([turn.latency_ms[stage] for turn in ended if stage in turn.latency_ms])
                for stage in stages
            },
        )


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """The median and the 95th percentile (nearest rank) of at least one value."""
    ordered = sorted(values)

    def rank(share: float) -> float:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 1)

    return rank(0.5), rank(0.95)
