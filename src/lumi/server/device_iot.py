"""The older way of device tools: what a board said of its things in `iot` messages, as tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lumi.engines.base import ToolResult
from lumi.errors import ToolError
from lumi.protocol import iot
from lumi.protocol.iot import Thing
from lumi.protocol.json_rpc import Json
from lumi.protocol.messages import ClientIot, ServerIot


@dataclass(frozen=True, slots=True)
class IotTool:
    """A method of a thing; an empty `method`: how the thing is now."""

    name: str
    thing: str
    method: str
    description: str
    schema: Json


class DeviceIot:
    """One session's things. Commands are sent and not answered: boards tell their new state, if anything."""

    def __init__(self, send: Callable[[ServerIot], None]) -> None:
        self._send = send
        self._things: dict[str, Thing] = {}
        self._states: dict[str, Json] = {}

    def take(self, message: ClientIot) -> None:
        """What the board says of its things, all at once or one after the other."""
        for thing in iot.read_descriptors(message.descriptors or ()):
            if thing.name in self._things or len(self._things) < iot.MAX_THINGS:
                self._things[thing.name] = thing
        for name, state in iot.read_states(message.states or ()).items():
            if name in self._states or len(self._states) < iot.MAX_THINGS:
                self._states[name] = self._states.get(name, {}) | state

    def tools(self) -> Iterator[IotTool]:
        """All methods, and for each thing with properties a way to ask how it is."""
        for thing in self._things.values():
            if thing.properties:
                told = "; ".join(f"{name}: {text}" for name, text in thing.properties.items())
                schema: Json = {"type": "object", "properties": {}}
                yield IotTool(f"{thing.name}.state", thing.name, "", f"How it is now. {told}", schema)
            for method in thing.methods:
                told = f"{thing.description}: {method.description}".strip(": ")
                yield IotTool(f"{thing.name}.{method.name}", thing.name, method.name, told, method.schema)

    def call(self, tool: IotTool, arguments: Json) -> ToolResult:
        """Do it.

        Raises:
            ToolError: an argument is missing.
        """
        if not tool.method:
            state = self._states.get(tool.thing)
            if state is None:
                return ToolResult(f"{tool.thing} has not said how it is", failed=True)
            return ToolResult(json.dumps(state, ensure_ascii=False))
        missing = [name for name in tool.schema["required"] if name not in arguments]
        if missing:
            raise ToolError(tool.name, f"missing: {', '.join(missing)}")
        self._send(ServerIot(commands=[iot.command(tool.thing, tool.method, arguments)]))
        return ToolResult("The command was sent; this device does not say whether it worked.")
