"""One session's device tools: what the device itself can do, as tools that a model may call.

DeviceTools ─┬─▶ DeviceMcp ─▶ DeviceRpc ─▶ `mcp` messages
             └─▶ DeviceIot ──────────────▶ `iot` messages (older boards)
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence

from lumi._version import __version__
from lumi.engines.base import Speaker, ToolCall, ToolResult, ToolSpec
from lumi.errors import ToolError, ToolUnanswered
from lumi.protocol.json_rpc import Failure, Json, Notification, Result
from lumi.protocol.mcp import ListedTool, VisionAccess, read_result
from lumi.protocol.messages import ClientIot, Message
from lumi.server.device_iot import DeviceIot, IotTool
from lumi.server.device_mcp import CHANGED, DeviceMcp
from lumi.server.device_rpc import ANSWER_WITHIN_S, Answer, DeviceRpc, Silence

LIST_WITHIN_S = 1.0
"""So long after the first hello a turn waits for the list; boards take some 100 ms for it."""

Act = tuple[str, str, str, str]
"""Of which turn, the id of the call, and what is called with what: after a failure ids may begin anew within a turn."""

MAX_ACTS = 64
"""Acts whose outcome is remembered, so that none is done twice; the oldest is forgotten."""

MAX_NAME_CHARS = 64
"""Models take no longer names, and none with dots."""

Target = ListedTool | IotTool


class DeviceTools:
    """The `Tools` of one device. `send` enqueues and never waits.

    What is known of the device stays known while its connections come and go; without one there is nothing to call.
    """

    name = "device"
    timeout_s = ANSWER_WITHIN_S + 1.0
    """Boards have their own time, whatever other tools have; when it is over it is said here, not by who waits."""

    def __init__(
        self,
        session_id: str,
        send: Callable[[Message], None],
        vision: Callable[[], VisionAccess | None] = lambda: None,
    ) -> None:
        self._rpc = DeviceRpc(session_id, send)
        self._mcp = DeviceMcp(session_id, self._rpc, __version__, vision)
        self._iot = DeviceIot(send)
        self._granted = False
        self._here = False
        self._acts: dict[Act, asyncio.Future[Answer | ToolResult]] = {}  # oldest first

    def grant(self, *, asked: bool) -> None:
        """A hello, the first or a later one: whether the device has tools over `mcp`."""
        self._granted = self._granted or asked
        self._begin()

    def attach(self) -> None:
        """The device is there."""
        self._here = True
        self._begin()

    def _begin(self) -> None:
        if self._here and self._granted:
            self._mcp.begin()

    def detach(self) -> None:
        """The link is gone, and with it the answers to what was asked over it."""
        self._here = False
        self._mcp.detach()
        self._rpc.silence("the connection to the device broke; it is not known whether it was done")

    def mcp(self, payload: Json) -> None:
        """An `mcp` message has come.

        Raises:
            ProtocolError: its payload is no JSON-RPC.
        """
        told = self._rpc.receive(payload)
        if isinstance(told, Notification) and told.method == CHANGED:
            self._mcp.changed()

    def iot(self, message: ClientIot) -> None:
        """An `iot` message has come."""
        self._iot.take(message)

    async def specs(self, speaker: Speaker) -> Sequence[ToolSpec]:
        """What this device can do now; nothing while it is away."""
        del speaker
        if not self._here:
            return ()
        await self._mcp.settled(LIST_WITHIN_S)
        return [ToolSpec(name, tool.description, tool.schema) for name, tool in self._targets().items()]

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        """Have the device do it. The same act, asked for again, is not done twice: it has the same outcome.

        Raises:
            ToolError: there is no such tool, its arguments make no sense, or the device does not answer.
        """
        act = (speaker.turn_id, call.id, call.name, call.arguments)
        known = bool(speaker.turn_id and call.id)
        outcome = self._acts.get(act) if known else None
        if outcome is None:
            outcome = self._start(call)
            if known:
                self._remember(act, outcome)
        answer = await asyncio.shield(outcome)
        match answer:
            case Result(value=value):
                text, failed = read_result(value)
                return ToolResult(text, failed)
            case Failure(message=message):
                return ToolResult(message, failed=True)
            case Silence(reason=reason):
                raise ToolUnanswered(call.name, reason) if answer.sent else ToolError(call.name, reason)
            case ToolResult():
                return answer

    async def aclose(self) -> None:
        """Nothing is asked of the device any more."""
        self.detach()
        self._acts.clear()

    def _start(self, call: ToolCall) -> asyncio.Future[Answer | ToolResult]:
        target = self._targets().get(call.name)
        if target is None:
            raise ToolError(call.name, "this device has no such tool")
        if not self._here:
            raise ToolError(call.name, "the device is not connected")
        arguments = _arguments(call)
        outcome: asyncio.Future[Answer | ToolResult] = asyncio.get_running_loop().create_future()
        if isinstance(target, IotTool):
            outcome.set_result(self._iot.call(target, arguments))
            return outcome
        self._mcp.call(target.name, arguments).add_done_callback(
            lambda done: outcome.set_result(done.result())
        )
        return outcome

    def _remember(self, act: Act, outcome: asyncio.Future[Answer | ToolResult]) -> None:
        self._acts[act] = outcome
        while len(self._acts) > MAX_ACTS:
            del self._acts[next(iter(self._acts))]

    def _targets(self) -> dict[str, Target]:
        """By the names that models know them by."""
        named: dict[str, Target] = {}
        tools: list[Target] = [*self._mcp.tools, *self._iot.tools()]
        for tool in tools:
            named[_free_name(tool.name, named)] = tool
        return named


def _arguments(call: ToolCall) -> Json:
    """Models leave the text empty where there is nothing to say."""
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError as error:
        raise ToolError(call.name, f"its arguments are no JSON ({error}); give one JSON object") from error
    if not isinstance(arguments, dict):
        raise ToolError(call.name, "its arguments are no JSON object; give one")
    return arguments


def _free_name(name: str, taken: dict[str, Target]) -> str:
    """A name that every model takes, and no other tool here has."""
    plain = re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:MAX_NAME_CHARS]
    candidate, number = plain, 1
    while candidate in taken:
        number += 1
        candidate = f"{plain[: MAX_NAME_CHARS - 3]}_{number}"
    return candidate
