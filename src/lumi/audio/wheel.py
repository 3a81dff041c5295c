"""A timer wheel: many things that happen at multiples of one tick, and one timer of the loop for all of them."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import Protocol

_ROUNDING_S = 1e-6


class Spoke(Protocol):
    """What is served when its tick has come."""

    def serve(self, tick: int, now: float) -> None:
        """`tick` is the number it was planned for, `now` the loop's clock in seconds."""
        ...


class TimerWheel:
    """Serves each spoke at the tick it was planned for; armed only while something is planned.

    Args:
        tick_s: distance of the ticks.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, tick_s: float) -> None:
        self.tick_s = tick_s
        self._loop = loop
        self._slots: dict[int, list[Spoke]] = {}  # bounded: a spoke plans at most one tick ahead of itself
        self._timer: asyncio.TimerHandle | None = None
        self._armed_tick = 0

    def now(self) -> float:
        """The loop's clock in seconds."""
        return self._loop.time()

    def tick_at(self, when_s: float) -> int:
        """The first tick not before `when_s`."""
        return math.ceil((when_s - _ROUNDING_S) / self.tick_s)

    def plan(self, tick: int, spoke: Spoke) -> None:
        """Serve `spoke` at `tick`, or at once if that is past."""
        self._slots.setdefault(tick, []).append(spoke)
        self._arm()

    def stop(self) -> list[Spoke]:
        """Forget everything planned; returns what it was."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        spokes = [spoke for slot in self._slots.values() for spoke in slot]
        self._slots.clear()
        return spokes

    def _arm(self) -> None:
        if not self._slots:
            return
        tick = min(self._slots)
        if self._timer is not None:
            if self._armed_tick <= tick:
                return
            self._timer.cancel()
        self._armed_tick = tick
        self._timer = self._loop.call_at(tick * self.tick_s, self._turn)

    def _turn(self) -> None:
        """Serve whatever is due. A spoke that raises is not served again; the others still are."""
        self._timer = None
        now = self._loop.time()
        # uvloop's timers may fire half a millisecond early: the tick that was armed has come in any case.
        current = max(self._armed_tick, int(now / self.tick_s))
        due = deque(
            (tick, spoke)
            for tick in sorted(tick for tick in self._slots if tick <= current)
            for spoke in self._slots.pop(tick)
        )
        try:
            while due:
                tick, spoke = due.popleft()
                spoke.serve(tick, max(now, tick * self.tick_s))
        finally:
            for tick, spoke in due:
                self._slots.setdefault(tick, []).append(spoke)
            self._arm()
