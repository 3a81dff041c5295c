"""Calls to a device: one answer each, or silence in time."""

from __future__ import annotations

import asyncio

import pytest

from lumi.errors import ProtocolError
from lumi.protocol.json_rpc import MAX_CALLS, Failure, Notification, Result
from lumi.protocol.messages import Mcp
from lumi.server.device_rpc import DeviceRpc, Silence


def calling() -> tuple[DeviceRpc, list[Mcp]]:
    sent: list[Mcp] = []
    return DeviceRpc("s", sent.append), sent


async def test_each_call_gets_its_own_answer_in_any_order() -> None:
    rpc, sent = calling()
    first, second = rpc.ask("a", {"x": 1}), rpc.ask("b", {})
    assert sent[0] == Mcp(
        payload={"jsonrpc": "2.0", "id": 1, "method": "a", "params": {"x": 1}}, session_id="s"
    )
    rpc.receive({"id": 2, "error": {"message": "no"}})
    rpc.receive({"id": "1", "result": 5})
    assert (await first, await second) == (Result(1, 5), Failure(2, "no"))


async def test_no_answer_is_an_answer_too() -> None:
    rpc, _ = calling()
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    assert await rpc.ask("a", {}) == Silence("the device did not answer within 30 s")
    assert loop.time() - began_at == 30
    rpc.receive({"id": 1, "result": "too late"})
    waiting = rpc.ask("b", {})
    rpc.silence("gone")
    assert await waiting == Silence("gone")


async def test_calls_are_bounded() -> None:
    rpc, sent = calling()
    asked = [rpc.ask("a", {}) for _ in range(MAX_CALLS)]
    refused = await rpc.ask("a", {})
    assert isinstance(refused, Silence)
    assert "already wait" in refused.reason
    assert not refused.sent
    assert len(sent) == MAX_CALLS
    rpc.silence("over")
    await asyncio.gather(*asked)


async def test_who_gave_up_is_passed_over() -> None:
    rpc, _ = calling()
    rpc.ask("a", {}).cancel()
    rpc.receive({"id": 1, "result": 1})


async def test_what_the_device_says_on_its_own() -> None:
    rpc, sent = calling()
    assert rpc.receive({"method": "n"}) == Notification("n")
    assert rpc.receive({"id": 4, "method": "ping"}) is None
    assert rpc.receive({"id": 5, "method": "fly"}) is None
    assert [message.payload["id"] for message in sent] == [4, 5]
    with pytest.raises(ProtocolError):
        rpc.receive({})
