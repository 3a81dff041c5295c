"""Opening MCP and keeping the list, step by step. Whole conversations are in test_device_tools.py."""

from __future__ import annotations

import asyncio

from lumi.protocol.messages import Mcp
from lumi.server.device_mcp import DeviceMcp, Stage
from lumi.server.device_rpc import DeviceRpc


class Opening:
    def __init__(self) -> None:
        self.sent: list[Mcp] = []
        self.rpc = DeviceRpc("s", self.sent.append)
        self.mcp = DeviceMcp("s", self.rpc, "1", lambda: None)

    def names(self) -> list[str]:
        return [tool.name for tool in self.mcp.tools]

    def is_at(self, stage: Stage) -> bool:
        return self.mcp.stage is stage

    async def answer(self, number: int, result: object) -> None:
        self.rpc.receive({"id": number, "result": result})
        await asyncio.sleep(0)


async def test_nothing_is_said_before_it_begins() -> None:
    opening = Opening()
    opening.mcp.changed()
    opening.mcp.detach()
    await opening.mcp.settled(1)
    assert (opening.sent, opening.mcp.stage) == ([], Stage.CLOSED)


async def test_the_way_to_a_list() -> None:
    opening = Opening()
    opening.mcp.begin()
    opening.mcp.begin()
    assert opening.is_at(Stage.ASKING)
    await opening.answer(1, {})
    await opening.answer(2, {"tools": [{"name": "a"}], "nextCursor": "more"})
    assert opening.names() == []
    await opening.answer(3, {"tools": [{"name": "b"}]})
    assert opening.is_at(Stage.KNOWN)
    assert opening.names() == ["a", "b"]
    assert [one.payload["method"] for one in opening.sent] == ["initialize", "tools/list", "tools/list"]


async def test_what_an_earlier_link_was_asked_means_nothing_any_more() -> None:
    opening = Opening()
    opening.mcp.begin()
    opening.mcp.detach()
    opening.rpc.silence("gone")
    opening.mcp.begin()  # before the old question's end is heard of
    await asyncio.sleep(0)
    assert opening.is_at(Stage.ASKING)
    await opening.answer(2, {})
    await opening.answer(3, {"tools": []})
    assert opening.is_at(Stage.KNOWN)


async def test_a_device_that_refuses_to_open_may_be_asked_again() -> None:
    opening = Opening()
    opening.mcp.begin()
    opening.rpc.receive({"id": 1, "error": {"message": "not now"}})
    await opening.mcp.settled(1)
    assert opening.mcp.stage is Stage.CLOSED
    opening.mcp.begin()
    assert len(opening.sent) == 2
    opening.rpc.silence("over")
