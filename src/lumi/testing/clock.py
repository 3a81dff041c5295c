"""Virtual time: an event loop whose clock jumps to the next timer, so that an hour passes in milliseconds.

Whatever waits by the loop's clock (`asyncio.sleep`, `asyncio.timeout`, `loop.call_later`) works unchanged. Work given
to threads through `loop.run_in_executor` counts as busy: while such a job runs the clock stands still and the loop
waits for it really. Threads that report back by any other way are not seen, nor are sockets and processes: those tests
belong on a real loop.

A loop in which nothing can ever happen again raises `Deadlock` and names who waits for what, instead of hanging.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

from lumi.errors import LumiError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START_S = 1_000.0
"""Where `loop.time()` begins: not at zero, which code may take for 'never'."""

HORIZON_S = 7 * 86_400.0
"""Virtual seconds after which a test is taken to be going round in circles."""

PATIENCE_S = 60.0
"""Real seconds after which the same is concluded, or a thread is taken to be stuck."""

MONDAY_MORNING = 1_767_605_400.0
"""2026-01-05 09:30:00 UTC, a Monday: where a `WallClock` starts unless told otherwise."""


class Deadlock(LumiError):
    """Every task waits, no timer is set and no thread works: nothing can happen any more."""


class OutOfTime(LumiError):
    """The loop still turns, but has turned too long."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time; give the class itself as `loop_factory`.

    Args:
        horizon_s: virtual seconds until `OutOfTime`.
        patience_s: real seconds until `OutOfTime`.
    """

    def __init__(self, *, horizon_s: float = HORIZON_S, patience_s: float = PATIENCE_S) -> None:
        self._now = START_S
        self._end = START_S + horizon_s
        self._patience_s = patience_s
        self._jobs = 0
        self._give_up_at = time.monotonic() + patience_s
        super().__init__(_JumpingSelector(self._idle))

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """As always, but the clock stands still until the job is done."""
        future: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        self._jobs += 1
        future.add_done_callback(self._job_done)
        return future

    async def shutdown_default_executor(self, *timeout: Any) -> None:
        """Waits for a thread of its own, which counts as a job."""
        self._jobs += 1
        try:
            await super().shutdown_default_executor(*timeout)
        finally:
            self._jobs -= 1

    def _job_done(self, _: asyncio.Future[Any]) -> None:
        self._jobs -= 1

    def _idle(self, timeout: float | None, wait: Callable[[float], Any]) -> None:
        """Nothing is ready; `timeout` is the virtual time to the next timer, None if there is none."""
        left_s = self._give_up_at - time.monotonic()
        if left_s <= 0:
            self._give_up_at = time.monotonic() + self._patience_s
            raise OutOfTime(
                f"still turning after {self._patience_s:g} real seconds; waiting:\n{self._waiting()}"
            )
        if timeout is not None and timeout <= 0:
            return
        if self._jobs:
            wait(left_s)
        elif timeout is None:
            raise Deadlock(f"nothing can happen any more; waiting:\n{self._waiting()}")
        else:
            self._jump(timeout)

    def _jump(self, seconds: float) -> None:
        self._now += seconds
        if self._now > self._end:
            passed_s, self._end = self._now - START_S, float("inf")
            raise OutOfTime(f"still turning after {passed_s:g} virtual seconds; waiting:\n{self._waiting()}")

    def _waiting(self) -> str:
        lines = [_describe(task) for task in asyncio.all_tasks(self)]
        if self._jobs:
            lines.append(f"{self._jobs} job(s) in threads")
        return "\n".join(f"  - {line}" for line in sorted(lines)) or "  - no task at all"


def _describe(task: asyncio.Task[Any]) -> str:
    """Where a task stands, innermost frame of our own first."""
    frames = task.get_stack(limit=1)
    where = (
        f"{frames[0].f_code.co_filename}:{frames[0].f_lineno} in {frames[0].f_code.co_qualname}"
        if frames
        else "?"
    )
    return f"{task.get_name()} at {where}"


class _JumpingSelector(selectors.BaseSelector):
    """Asks the system what is ready; where nothing is, lets the loop's `idle` jump or wait instead of sleeping."""

    def __init__(self, idle: Callable[[float | None, Callable[[float], Any]], None]) -> None:
        self._real = selectors.DefaultSelector()
        self._idle = idle

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if not ready:
            self._idle(timeout, lambda seconds: ready.extend(self._real.select(seconds)))
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


class WallClock:
    """A wall clock that goes with the loop: call it for UNIX seconds.

    It starts at `start` when it is made inside a loop, else at its first reading inside one. `shift` sets it forward
    or back, as a person or a time server does; the loop's own clock does not notice.
    """

    __slots__ = ("_origin", "_start")

    def __init__(self, start: float = MONDAY_MORNING) -> None:
        self._start = start
        self._origin = _loop_time()

    def __call__(self) -> float:
        now = _loop_time()
        if now is None:
            return self._start
        if self._origin is None:
            self._origin = now
        return self._start + now - self._origin

    def shift(self, seconds: float) -> None:
        """Set the clock forward (or back, if negative) by `seconds`."""
        self._start += seconds


def _loop_time() -> float | None:
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return None


def run(main: Coroutine[Any, Any, T], *, horizon_s: float = HORIZON_S, patience_s: float = PATIENCE_S) -> T:
    """Run `main` in virtual time, as `asyncio.run` does in real time."""

    def factory() -> asyncio.AbstractEventLoop:
        return VirtualTimeLoop(horizon_s=horizon_s, patience_s=patience_s)

    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)
