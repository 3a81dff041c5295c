"""The tools of a device at the wire, by a script; it answers as boards do, or as they should not.

tools = ScriptedDeviceTools({"self.lamp.set": lambda arguments: "on"})
async with rehearsal.device(tools=tools) as device:
    await device.hello(features={"mcp": True})
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lumi.testing.wire import Json

Tool = Callable[[Json], Any]
"""Arguments → a whole result (a dict with `content`), or text that becomes one, or an error to answer with."""

Manner = Callable[[Json, Json], list[Json]]
"""What is asked and its proper answer → what is sent."""


def properly(_: Json, answer: Json) -> list[Json]:
    return [answer]


def never(_: Json, __: Json) -> list[Json]:
    return []


def twice(_: Json, answer: Json) -> list[Json]:
    return [answer, answer]


def under_another_id(_: Json, answer: Json) -> list[Json]:
    return [answer | {"id": answer["id"] + 1_000}]


@dataclass(slots=True)
class ScriptedDeviceTools:
    """Answers `initialize`, `tools/list` and `tools/call`; anything else, notifications too, with an error.

    Args:
        tools: by name.
        schemas: name → JSON Schema of the arguments.
        page: tools to a page of the list.
        manner: how answers are given; may be changed on the way.
        delay_s: before each answer.
    """

    tools: Mapping[str, Tool] = field(default_factory=dict)
    schemas: Mapping[str, Json] = field(default_factory=dict)
    page: int = 100
    manner: Manner = properly
    delay_s: float = 0.0
    asked: list[Json] = field(default_factory=list)
    """Every payload that came."""

    @property
    def methods(self) -> list[str]:
        return [payload.get("method", "") for payload in self.asked]

    @property
    def calls(self) -> list[tuple[str, Json]]:
        """Names and arguments of the calls that came."""
        params = [one["params"] for one in self.asked if one.get("method") == "tools/call"]
        return [(one["name"], one["arguments"]) for one in params]

    async def answers(self, payload: Json) -> list[Json]:
        """What the device says to a payload."""
        self.asked.append(payload)
        if "method" not in payload:
            return []
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        answer = {"jsonrpc": "2.0", "id": payload.get("id")} | self._answer(payload)
        return self.manner(payload, answer)

    def _answer(self, payload: Json) -> Json:
        match payload["method"]:
            case "initialize":
                return {"result": {"protocolVersion": "2024-11-05", "capabilities": {"tools": {}}}}
            case "tools/list":
                return {"result": self._list(payload["params"].get("cursor") or "")}
            case "tools/call":
                return self._call(payload["params"])
            case method:
                return {"error": {"code": -32601, "message": f"Method not found: {method}"}}

    def _list(self, cursor: str) -> Json:
        names = list(self.tools)
        start = names.index(cursor) if cursor in names else 0
        shown = names[start : start + self.page]
        tools = [
            {
                "name": name,
                "description": f"does {name}",
                "inputSchema": self.schemas.get(name, {"type": "object", "properties": {}}),
            }
            for name in shown
        ]
        rest = names[start + self.page :]
        return {"tools": tools} | ({"nextCursor": rest[0]} if rest else {})

    def _call(self, params: Json) -> Json:
        tool = self.tools.get(params["name"])
        if tool is None:
            return {"error": {"message": f"Unknown tool: {params['name']}"}}  # boards give no code
        said = tool(params["arguments"])
        if isinstance(said, Exception):
            return {"error": {"message": str(said)}}
        if isinstance(said, dict):
            return {"result": said}
        return {"result": {"content": [{"type": "text", "text": str(said)}], "isError": False}}
