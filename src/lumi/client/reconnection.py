"""When to try again, and the loop that does: exponential backoff, until the client is ready, or for good is not."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import chain, count, islice

from lumi.client.task_scope import TaskScope
from lumi.errors import (
    ConnectFailed,
    ConnectionLost,
    HandshakeError,
    LumiError,
    NetworkUnavailable,
    Overloaded,
    ReplyTimeout,
    ServerError,
)
from lumi.protocol.messages import FATAL_CLOSE_CODES, RETRYABLE

FIRST_DELAY_S = 1.0
MAX_DELAY_S = 60.0
DEFAULT_TRIES = 5
MAX_ASKED_DELAY_S = 3600.0
"""A server may ask for a longer wait than ours, up to this."""

_log = logging.getLogger("lumi.client.reconnection")


def no_jitter(delay_s: float) -> float:
    """The documented steps, exactly."""
    return delay_s


def spread(delay_s: float) -> float:
    """Three quarters of the step to the whole of it: clients that lost one server do not come back at one moment."""
    return random.SystemRandom().uniform(0.75, 1.0) * delay_s


def backoff(
    *,
    first_s: float = FIRST_DELAY_S,
    cap_s: float = MAX_DELAY_S,
    tries: int | None = DEFAULT_TRIES,
    jitter: Callable[[float], float] = no_jitter,
) -> Iterator[float]:
    """Seconds to wait before each try: doubling from `first_s` up to `cap_s`; `tries=None` goes on for ever.

    `jitter` maps each step to the one really used; pass a random one where many clients lose the same server.
    """
    # 2**63 is far beyond any cap; without the bound an endless series would end in a float overflow.
    steps = (min(first_s * 2.0 ** min(step, 63), cap_s) for step in count())
    return map(jitter, steps if tries is None else islice(steps, tries))


@dataclass(frozen=True, slots=True)
class ReconnectPolicy:
    """How often, and after which waits. `tries=None`: for ever."""

    first_s: float = FIRST_DELAY_S
    cap_s: float = MAX_DELAY_S
    tries: int | None = DEFAULT_TRIES
    jitter: Callable[[float], float] = no_jitter

    def delays(self) -> Iterator[float]:
        """The waits, from the first."""
        return backoff(first_s=self.first_s, cap_s=self.cap_s, tries=self.tries, jitter=self.jitter)


FOR_EVER = ReconnectPolicy(tries=None, jitter=spread)
"""What `lumi.connect()` does unless told otherwise."""

NEVER = ReconnectPolicy(tries=0)

_ALWAYS = (ConnectFailed, NetworkUnavailable, Overloaded, ReplyTimeout)


def is_retryable(error: LumiError) -> bool:
    """Whether the same attempt may succeed later.

    A refusal (401, 403, 4401, 4409, or a hello refused by name) will not get better by asking again. A hello that
    is not answered, or answered with nonsense, may: something may stand before the server that is not it.
    """
    if isinstance(error, _ALWAYS):
        return True
    if isinstance(error, HandshakeError):
        return error.code is None
    if isinstance(error, ConnectionLost):
        return error.code not in FATAL_CLOSE_CODES
    if isinstance(error, ServerError):
        return error.retryable or error.code in RETRYABLE
    return False


def retry_after_s(error: LumiError) -> float | None:
    """The wait the server asked for, if it did."""
    if isinstance(error, ServerError | Overloaded):
        return error.retry_after_s
    return None


def _ignore(_error: LumiError) -> None:
    """Nobody wants to know."""


class ReconnectionManager:
    """Attempts until one succeeds, with growing waits in between. Every start counts anew.

    Args:
        attempt: connects and shakes hands; returns when the client is ready, raises whatever kept it from it.
        scope: where the waiting runs.
        policy: how long and how often.
        on_gave_up: told of the last error when there will be no more attempts: it is fatal, or the tries are used up.
    """

    def __init__(
        self,
        attempt: Callable[[], Awaitable[object]],
        scope: TaskScope,
        *,
        policy: ReconnectPolicy | None = None,
        on_gave_up: Callable[[LumiError], None] = _ignore,
    ) -> None:
        self.retry_count = 0
        """Retries since the last start."""
        self.last_error: LumiError | None = None
        """Why the last attempt failed; None once one has succeeded."""
        self._attempt = attempt
        self._scope = scope
        self._policy = policy or ReconnectPolicy()
        self._on_gave_up = on_gave_up
        self._task: asyncio.Task[None] | None = None
        self._due_s: float | None = None
        self._hurry = asyncio.Event()
        self._disposed = False

    @property
    def is_reconnecting(self) -> bool:
        """From `start` until ready, given up or stopped."""
        return self._task is not None

    @property
    def retry_in_s(self) -> float | None:
        """Seconds until the next attempt; None while none is planned or one is being made."""
        if self._due_s is None:
            return None
        return max(0.0, self._due_s - asyncio.get_running_loop().time())

    def start(
        self, *, at_once: bool = False, wait_s: float | None = None, because: LumiError | None = None
    ) -> None:
        """Begin; while one runs a second start does nothing.

        Args:
            at_once: make the first attempt now. It is none of the counted tries.
            wait_s: wait at least so long before the first one.
            because: why the line was lost: given to `on_gave_up` where the policy allows no try at all.
        """
        if self._task is not None or self._disposed:
            return
        self.retry_count = 0
        self._hurry.clear()
        self._task = self._scope.start(self._run(at_once, wait_s, because), name="client-reconnect")

    def retry_now(self) -> None:
        """Do not wait any longer for the next attempt."""
        self._hurry.set()

    def stop(self) -> None:
        """No more attempts; one that is being made is broken off."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def dispose(self) -> None:
        """Stop for good."""
        self._disposed = True
        self.stop()

    async def _run(self, at_once: bool, wait_s: float | None, because: LumiError | None) -> None:  # noqa: FBT001
        error, asked_s = because, wait_s
        steps = chain((0.0,), self._policy.delays()) if at_once else self._policy.delays()
        for number, step_s in enumerate(steps, start=0 if at_once else 1):
            await self._pause(max(step_s, min(asked_s or 0.0, MAX_ASKED_DELAY_S)))
            self.retry_count = number
            error = await self._try()
            if error is None:
                return
            if not is_retryable(error):
                break
            asked_s = retry_after_s(error)
        self._task = None
        self._on_gave_up(error or ConnectFailed("no try is allowed"))

    async def _try(self) -> LumiError | None:
        """One attempt; None: it succeeded, and the manager rests before anybody else can look."""
        try:
            await self._attempt()
        except LumiError as error:
            _log.info("attempt %d failed: %s", self.retry_count + 1, error)
            self.last_error = error
            return error
        self._task, self.last_error = None, None
        return None

    async def _pause(self, seconds: float) -> None:
        if seconds <= 0:
            return
        self._due_s = asyncio.get_running_loop().time() + seconds
        _log.warning("%s; next try in %.1f s", self.last_error or "no connection", seconds)
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return
        finally:
            self._hurry.clear()
            self._due_s = None
