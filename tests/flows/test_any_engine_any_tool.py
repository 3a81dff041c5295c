"""One spoken question through engines that are all elsewhere, with a tool on the device and one of another program.

Recognition, model and voice answer over HTTP as the public API has it, their streamed events torn at odd places; the
first requests fail as services do.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.flows.scripted import CONFIG

from lumi.config import Config
from lumi.config.engines import LlmSettings, SttSettings, TtsSettings
from lumi.config.tools import McpServerSettings
from lumi.server.app import Server
from lumi.testing import FakeDevice, ScriptedVad
from lumi.testing.device_tools import ScriptedDeviceTools
from lumi.testing.openai_faults import Fault
from lumi.testing.openai_script import Call
from lumi.testing.openai_server import OpenAiServer
from lumi.testing.rehearsal import spoken
from lumi.transport.websocket import connect

pytestmark = pytest.mark.real

KEY = "sk-of-the-house"
PROGRAM = Path(__file__).parents[1] / "tools" / "mcp_program.py"
QUESTION = "add 40 and 2 and set the lamp to that"


def think(messages: list[dict[str, Any]]) -> Any:
    """A model that adds with one tool and lights with the other."""
    last = messages[-1]
    results = [message["content"] for message in messages if message["role"] == "tool"]
    if last["role"] == "user" and last["content"] == QUESTION:
        return [Call("house_add", {"a": 40, "b": 2}, id="sum")]
    if len(results) == 1:
        return [Call("device_self_lamp_set", {"level": int(results[0])}, id="lamp")]
    if results:
        return f"The sum is {results[0]}, and {results[1]}. 好的。"
    return "Hello."


def settings(service: OpenAiServer) -> Config:
    where: dict[str, Any] = {"base_url": service.base_url, "api_key": SecretStr(KEY)}
    return CONFIG.model_copy(
        update={
            "stt": SttSettings(engine="openai", **where),
            "llm": LlmSettings(engine="openai", **where),
            "tts": TtsSettings(engine="openai", **where),
            "mcp": {"house": McpServerSettings(command=sys.executable, args=(str(PROGRAM), "stdio"))},
        }
    )


@asynccontextmanager
async def lamp_board(server: Server) -> AsyncIterator[tuple[FakeDevice, ScriptedDeviceTools]]:
    """A board with a lamp, after its hello."""
    schema = {"type": "object", "properties": {"level": {"type": "integer"}}, "required": ["level"]}
    tools = ScriptedDeviceTools(
        {"self.lamp.set": lambda told: f"the lamp is at {told['level']}"}, {"self.lamp.set": schema}
    )
    link = await connect(server.url)
    async with FakeDevice(link, tools=tools) as device:
        await device.hello(features={"mcp": True})
        yield device, tools


async def until_both_are_offered(device: FakeDevice, service: OpenAiServer) -> None:
    """The program has started, and the board has said what it has."""
    for number in range(200):
        await device.chat(f"hello {number}")
        offered = {tool["function"]["name"] for tool in service.of("chat")[-1].body.get("tools", ())}
        if {"house_add", "device_self_lamp_set"} <= offered:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"the tools did not come: {offered}")


async def ask(device: FakeDevice) -> list[dict[str, Any]]:
    """Say the question, and hear the answer to its end."""
    await device.listen("start", mode="manual")
    await device.play(spoken(600))
    await device.listen("stop")
    turn = await device.spoken_turn()
    assert turn.packets
    return turn.messages


async def test_a_question_that_takes_two_tools_goes_through_services_elsewhere():
    async with OpenAiServer(answers=think, hear=(QUESTION,), key=KEY, torn_bytes=7) as service:
        async with Server(settings(service), vad=ScriptedVad()) as server:
            await server.wait_ready()
            async with lamp_board(server) as (device, tools):
                await until_both_are_offered(device, service)
                messages = await ask(device)
        assert tools.calls == [("self.lamp.set", {"level": 42})]
        assert [one["text"] for one in messages if one["type"] == "stt"] == [QUESTION]
        said = [one["text"] for one in messages if one.get("state") == "sentence_start"]
        assert "".join(said).replace(" ", "") == "Thesumis42,andthelampisat42.好的。"
        assert [one.get("state") for one in messages if one["type"] == "tts"].count("stop") == 1
        assert service.of("transcriptions")[-1].pcm
        assert {asked.headers["authorization"] for asked in service.asked} == {f"Bearer {KEY}"}
        steps = [[message["role"] for message in asked.body["messages"]] for asked in service.of("chat")[-3:]]
        assert [roles[-2:] for roles in steps][1:] == [["assistant", "tool"]] * 2


@pytest.mark.parametrize(
    ("what", "fault"),
    [("chat", Fault.BUSY), ("chat", Fault.HALF), ("transcriptions", Fault.BROKEN), ("speech", Fault.DROP)],
)
async def test_a_service_that_fails_costs_one_answer_and_the_next_is_right(what, fault):
    async with OpenAiServer(answers=think, hear=(QUESTION,), key=KEY) as service:
        async with Server(settings(service), vad=ScriptedVad()) as server:
            await server.wait_ready()
            async with lamp_board(server) as (device, tools):
                await until_both_are_offered(device, service)
                service.break_(what, fault)
                await device.listen("start", mode="manual")
                await device.play(spoken(600))
                await device.listen("stop")
                failed = await device.spoken_turn()
                assert failed.messages[-1]["state"] == "stop"
                service.mend()
                messages = await ask(device)
        said = json.dumps([one.get("text") for one in messages if one.get("state") == "sentence_start"])
        assert "42" in said
        assert tools.calls[-1] == ("self.lamp.set", {"level": 42})
