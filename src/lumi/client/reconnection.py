"""When to try again: pure policy. The loop that waits and connects lives with the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, islice

from lumi.errors import (
    ConnectFailed,
    ConnectionLost,
    HandshakeTimeout,
    LumiError,
    NetworkUnavailable,
    Overloaded,
    ServerError,
)
from lumi.protocol.messages import FATAL_CLOSE_CODES, RETRYABLE

FIRST_DELAY_S = 1.0
MAX_DELAY_S = 60.0
DEFAULT_TRIES = 5


def no_jitter(delay_s: float) -> float:
    """The documented steps, exactly."""
    return delay_s


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


_ALWAYS = (ConnectFailed, NetworkUnavailable, HandshakeTimeout, Overloaded)


def is_retryable(error: LumiError) -> bool:
    """Whether the same attempt may succeed later.

    A refusal (401, 403, 4401, 4409) or a hello that makes no sense
    will not get better by asking again.
    """
    if isinstance(error, _ALWAYS):
        return True
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
