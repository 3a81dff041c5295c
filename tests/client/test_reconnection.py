from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice

import pytest

from lumi.client.reconnection import (
    ReconnectionManager,
    ReconnectPolicy,
    backoff,
    is_retryable,
    retry_after_s,
    spread,
)
from lumi.client.task_scope import TaskScope
from lumi.errors import (
    ConnectFailed,
    ConnectionLost,
    ConnectionRefused,
    HandshakeError,
    HandshakeTimeout,
    LocalProtocolError,
    LumiError,
    MissingSessionId,
    NetworkUnavailable,
    Overloaded,
    ProtocolError,
    ReplyTimeout,
    ServerError,
)


def test_the_documented_steps():
    assert list(backoff()) == [1, 2, 4, 8, 16]


def test_the_steps_are_capped():
    assert list(backoff(tries=8)) == [1, 2, 4, 8, 16, 32, 60, 60]


def test_without_a_count_it_goes_on_for_ever():
    assert next(islice(backoff(tries=None), 5000, None)) == 60


def test_first_and_cap_can_be_set():
    assert list(backoff(first_s=0.5, cap_s=1.5, tries=3)) == [0.5, 1.0, 1.5]


def test_jitter_maps_each_step():
    assert list(backoff(tries=3, jitter=lambda step: step / 2)) == [0.5, 1, 2]


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (ConnectFailed("x"), True),
        (NetworkUnavailable("x"), True),
        (HandshakeTimeout("x"), True),
        (Overloaded("x"), True),
        (ConnectionLost(1006), True),
        (ConnectionLost(1001), True),
        (ConnectionLost(4401), False),
        (ConnectionLost(4409), False),
        (ConnectionRefused(401, "x"), False),
        (HandshakeError("x"), True),
        (HandshakeError("x", code="unsupported_version"), False),
        (MissingSessionId(), True),
        (ReplyTimeout("x"), True),
        (LocalProtocolError("x"), False),
        (ProtocolError("bad_json", "x"), False),
        (ServerError("internal", "x"), True),
        (ServerError("odd", "x", retryable=True), True),
        (ServerError("bad_message", "x"), False),
    ],
)
def test_what_is_worth_another_try(error, retryable):
    assert is_retryable(error) is retryable


def test_the_wait_the_server_asks_for():
    assert retry_after_s(ServerError("overloaded", "x", retry_after_s=3)) == 3
    assert retry_after_s(Overloaded("x", retry_after_s=4)) == 4
    assert retry_after_s(ConnectFailed("x")) is None


def test_spread_never_waits_longer_than_the_step():
    assert all(3 <= spread(4) <= 4 for _ in range(100))


class Attempts:
    """A connection that comes about when it is told to; keeps when it was tried."""

    def __init__(
        self, *errors: LumiError | None, last: LumiError | None = None, takes_s: float = 0.0
    ) -> None:
        self.at_s: list[float] = []
        self._errors = list(errors)
        self._last = last
        self._takes_s = takes_s
        self._began_s = asyncio.get_running_loop().time()

    async def __call__(self) -> None:
        self.at_s.append(asyncio.get_running_loop().time() - self._began_s)
        await asyncio.sleep(self._takes_s)
        error = self._errors.pop(0) if self._errors else self._last
        if error is not None:
            raise error

    @property
    def waits_s(self) -> list[float]:
        """Between one try and the next, the first from the start."""
        return [round(b - a, 6) for a, b in zip([0.0, *self.at_s], self.at_s, strict=False)]


DEAF = ConnectFailed("nobody there")


@asynccontextmanager
async def managed(
    attempts: Attempts, policy: ReconnectPolicy | None = None
) -> AsyncIterator[tuple[ReconnectionManager, list[LumiError]]]:
    gave_up: list[LumiError] = []
    async with TaskScope() as scope:
        yield ReconnectionManager(attempts, scope, policy=policy, on_gave_up=gave_up.append), gave_up


async def test_it_tries_after_1_2_4_8_16_seconds_and_gives_up():
    attempts = Attempts(last=DEAF)
    async with managed(attempts) as (manager, gave_up):
        manager.start()
        assert manager.is_reconnecting
        await asyncio.sleep(30.5)
        assert manager.is_reconnecting
        await asyncio.sleep(1)
        assert attempts.waits_s == [1, 2, 4, 8, 16]
        assert (gave_up, manager.retry_count, manager.last_error) == ([DEAF], 5, DEAF)
        assert not manager.is_reconnecting
        await asyncio.sleep(3600)
        assert len(attempts.at_s) == 5


async def test_the_first_connection_is_tried_at_once_and_then_like_any_other():
    attempts = Attempts(DEAF, DEAF)
    async with managed(attempts) as (manager, gave_up):
        manager.start(at_once=True)
        await asyncio.sleep(60)
        assert attempts.waits_s == [0, 1, 2]
        assert gave_up == []
        assert (manager.is_reconnecting, manager.last_error) == (False, None)


async def test_the_waits_are_between_tries_however_long_a_try_takes():
    attempts = Attempts(DEAF, DEAF, takes_s=10)
    async with managed(attempts) as (manager, _):
        manager.start()
        await asyncio.sleep(100)
        assert attempts.waits_s == [1, 12, 14]


async def test_every_start_counts_anew():
    attempts = Attempts(DEAF, DEAF, None, DEAF)
    async with managed(attempts) as (manager, _):
        manager.start()
        await asyncio.sleep(10)
        assert not manager.is_reconnecting
        manager.start()
        await asyncio.sleep(60)
        assert attempts.at_s == [1, 3, 7, 11, 13]


async def test_a_second_start_while_one_runs_does_nothing():
    attempts = Attempts(DEAF)
    async with managed(attempts) as (manager, _):
        manager.start()
        await asyncio.sleep(0.5)
        manager.start()
        manager.start(at_once=True)
        await asyncio.sleep(60)
        assert attempts.waits_s == [1, 2]


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    "refusal",
    [
        ConnectionRefused(401, "token"),
        ConnectionRefused(403, "origin"),
        ConnectionRefused(4401, "token"),
        ConnectionRefused(4409, "replaced"),
        HandshakeError("old", code="unsupported_version"),
    ],
)
async def test_a_refusal_is_not_tried_again_whether_first_or_later(refusal, at_once):
    attempts = Attempts(*([] if at_once else [DEAF]), refusal)
    async with managed(attempts, ReconnectPolicy(tries=None)) as (manager, gave_up):
        manager.start(at_once=at_once)
        await asyncio.sleep(3600)
        assert len(attempts.at_s) == (1 if at_once else 2)
        assert gave_up == [refusal]


async def test_the_server_may_ask_for_a_longer_wait_but_not_for_a_shorter_one():
    busy = ServerError("overloaded", "x", retryable=True, retry_after_s=30)
    hasty = Overloaded("x", retry_after_s=0.1)
    endless = Overloaded("x", retry_after_s=1e9)
    attempts = Attempts(busy, hasty, endless)
    async with managed(attempts) as (manager, _):
        manager.start(wait_s=7)
        await asyncio.sleep(10_000)
        assert attempts.waits_s == [7, 30, 4, 3600]


async def test_the_countdown():
    attempts = Attempts(DEAF, takes_s=2)
    async with managed(attempts) as (manager, _):
        assert manager.retry_in_s is None
        manager.start()
        await asyncio.sleep(0.25)
        assert manager.retry_in_s == pytest.approx(0.75)
        await asyncio.sleep(1)
        assert manager.retry_in_s is None  # it is trying
        await asyncio.sleep(2)
        assert manager.retry_in_s == pytest.approx(1.75)


async def test_who_does_not_want_to_wait():
    attempts = Attempts(DEAF, DEAF, DEAF, DEAF)
    async with managed(attempts) as (manager, _):
        manager.start()
        await asyncio.sleep(8)  # the third wait, of 4 s
        manager.retry_now()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert attempts.at_s == [1, 3, 7, 8]
        await asyncio.sleep(16.5)
        assert attempts.waits_s[-1] == 16


async def test_stop_breaks_off_a_wait_and_a_try():
    attempts = Attempts(DEAF, takes_s=5)
    async with managed(attempts) as (manager, gave_up):
        manager.start()
        await asyncio.sleep(0.5)
        manager.stop()
        await asyncio.sleep(60)
        assert attempts.at_s == []
        manager.start()
        await asyncio.sleep(3)
        manager.stop()
        await asyncio.sleep(60)
        assert len(attempts.at_s) == 1
        assert (gave_up, manager.is_reconnecting, manager.retry_in_s) == ([], False, None)


async def test_dispose_is_for_good():
    attempts = Attempts()
    async with managed(attempts) as (manager, _):
        manager.start()
        manager.dispose()
        manager.start(at_once=True)
        await asyncio.sleep(60)
        assert attempts.at_s == []


async def test_no_try_at_all():
    lost = ConnectionLost(1006)
    attempts = Attempts()
    async with managed(attempts, ReconnectPolicy(tries=0)) as (manager, gave_up):
        manager.start(because=lost)
        await asyncio.sleep(1)
        manager.start()
        await asyncio.sleep(1)
        assert gave_up[0] is lost
        assert isinstance(gave_up[1], ConnectFailed)
        assert attempts.at_s == []


async def test_nobody_need_be_told():
    async with TaskScope() as scope:
        ReconnectionManager(Attempts(), scope, policy=ReconnectPolicy(tries=0)).start()
        await asyncio.sleep(1)
