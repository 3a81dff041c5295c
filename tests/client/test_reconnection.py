from __future__ import annotations

from itertools import islice

import pytest

from lumi.client.reconnection import backoff, is_retryable, retry_after_s
from lumi.errors import (
    ConnectFailed,
    ConnectionLost,
    ConnectionRefused,
    HandshakeError,
    HandshakeTimeout,
    LocalProtocolError,
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
