from __future__ import annotations

import pytest

from lumi.errors import Overloaded, ProtocolError
from lumi.protocol.json_rpc import (
    METHOD_NOT_FOUND,
    Calls,
    Failure,
    Notification,
    Request,
    Result,
    read,
    refusal,
    request,
    result,
)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"jsonrpc": "2.0", "id": 3, "result": {"a": 1}}, Result(3, {"a": 1})),
        ({"id": "3", "result": None}, Result(3, None)),
        ({"id": 3.0, "result": []}, Result(3, [])),
        ({"id": 3.5, "result": []}, Result("3.5", [])),
        ({"id": "x", "result": 1}, Result("x", 1)),
        ({"id": "9" * 5_000, "result": 1}, Result("9" * 5_000, 1)),
        ({"id": 3, "result": 1, "error": None}, Result(3, 1)),
        ({"id": 3, "error": {"code": -1, "message": "no"}}, Failure(3, "no", -1)),
        ({"id": 3, "error": {"message": "no"}}, Failure(3, "no")),
        ({"id": 3, "error": {}}, Failure(3, "no reason given")),
        ({"id": 3, "error": "no"}, Failure(3, "no")),
        ({"id": 3, "method": "ping"}, Request(3, "ping")),
        ({"method": "notifications/x", "params": {"a": 1}}, Notification("notifications/x", {"a": 1})),
        ({"id": None, "method": "m"}, Notification("m")),
    ],
)
def test_what_devices_write_is_read(payload, said):
    assert read(payload) == said


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"id": 1},
        {"result": 1},
        {"id": True, "result": 1},
        {"id": [], "error": {}},
        {"method": ""},
        {"method": 4},
    ],
)
def test_what_is_neither_call_nor_answer_is_named(payload):
    with pytest.raises(ProtocolError, match="payload is no JSON-RPC") as caught:
        read(payload)
    assert caught.value.code == "bad_message"


def test_what_is_written_can_be_read():
    assert read(request(1, "m", {})) == Request(1, "m", {})
    assert read(result(1, {"a": 2})) == Result(1, {"a": 2})
    assert read(refusal(1, METHOD_NOT_FOUND, "no")) == Failure(1, "no", METHOD_NOT_FOUND)
    assert request(1, "m", {})["jsonrpc"] == "2.0"


def test_an_answer_finds_its_caller_once():
    calls: Calls[str] = Calls()
    first, second = calls.add("a"), calls.add("b")
    assert (first, second, len(calls)) == (1, 2, 2)
    assert calls.take(second) == "b"
    assert calls.take(second) is None
    assert calls.take(99) is None
    assert calls.take_all() == ["a"]
    assert (len(calls), calls.add("c")) == (0, 3)


def test_calls_are_bounded():
    calls: Calls[str] = Calls(limit=2)
    calls.add("a")
    number = calls.add("b")
    with pytest.raises(Overloaded):
        calls.add("c")
    calls.take(number)
    assert calls.add("d") == 3
