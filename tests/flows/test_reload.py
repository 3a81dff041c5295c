"""Tools and clients by settings that change while conversations go on: a program that stays keeps its process, one that is
not wanted any more ends, and each device has what it is permitted.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.flows.scripted import CONFIG

from lumi.config import Config
from lumi.config.clients import ClientSettings
from lumi.config.devices import DeviceSettings
from lumi.config.engines import LlmSettings
from lumi.config.tools import McpServerSettings, ToolSettings
from lumi.server.app import Server
from lumi.testing import FakeDevice, ScriptedStt, ScriptedTts, ScriptedVad
from lumi.testing.openai_script import Call
from lumi.testing.openai_server import OpenAiServer
from lumi.transport.websocket import connect

pytestmark = pytest.mark.real

PROGRAM = McpServerSettings(
    command=sys.executable, args=(str(Path(__file__).parents[1] / "tools" / "mcp_program.py"), "stdio")
)


def think(messages: list[dict[str, Any]]) -> Any:
    """`TOOL?` calls it, and says what came of it."""
    last = messages[-1]
    if last["role"] == "tool":
        return str(last["content"])
    return [Call(last["content"][:-1], {}, id="c")] if last["content"].endswith("?") else "Hello."


@asynccontextmanager
async def house(config: Config) -> AsyncIterator[Server]:
    engines: dict[str, Any] = {"vad": ScriptedVad(), "stt": ScriptedStt(), "tts": ScriptedTts()}
    async with Server(config, **engines) as server:
        await server.wait_ready()
        yield server


@asynccontextmanager
async def device(server: Server, name: str) -> AsyncIterator[FakeDevice]:
    async with FakeDevice(await connect(server.url), device_id=name) as one:
        await one.hello()
        yield one


async def offered(one: FakeDevice, service: OpenAiServer) -> set[str]:
    """Names of the tools that a model is told of for this device."""
    await one.chat("hello")
    return {tool["function"]["name"] for tool in service.of("chat")[-1].body.get("tools", ())}


async def until_offered(one: FakeDevice, service: OpenAiServer, name: str) -> set[str]:
    """A program takes a moment to start."""
    async with asyncio.timeout(30):
        while name not in (names := await offered(one, service)):  # noqa: ASYNC110 - it says nothing when it is there
            await asyncio.sleep(0.05)
    return names


async def say(one: FakeDevice, text: str) -> str:
    return str((await one.chat(text))["content"])


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_tools_come_and_go_without_a_restart_and_each_device_has_its_own() -> None:
    async with OpenAiServer(answers=think) as service:
        llm = LlmSettings(engine="openai", base_url=service.base_url)
        bare = CONFIG.model_copy(update={"llm": llm, "tools": ToolSettings(skills=False)})
        async with (
            house(bare) as server,
            device(server, "kitchen") as kitchen,
            device(server, "cellar") as cellar,
        ):
            assert await offered(cellar, service) == set()
            rules = {"kitchen": DeviceSettings(tools_allow=("house.*",), tools_deny=("house.unlock",))}
            full = CONFIG.model_copy(update={"llm": llm, "mcp": {"house": PROGRAM}, "devices": rules})
            assert await server.reload(full) == ()
            there = await until_offered(cellar, service, "house_pid")
            assert {"house_unlock", "lumi_set_timer"} <= there
            names = await offered(kitchen, service)
            assert all(name.startswith("house_") for name in names)
            assert "house_unlock" not in names
            assert "no tool 'lumi_set_timer'" in await say(kitchen, "lumi_set_timer?")
            pid = int(await say(kitchen, "house_pid?"))

            shut = {"cellar": DeviceSettings(tools_deny=("*",))}
            clients = {"cube": ClientSettings(user_agent="cube")}
            assert await server.reload(full.model_copy(update={"devices": shut, "clients": clients})) == ()
            assert await offered(cellar, service) == set()
            assert "house_unlock" in await offered(kitchen, service)
            assert int(await say(kitchen, "house_pid?")) == pid, "what stays is not started again"

            assert await server.reload(bare) == ()
            assert await offered(kitchen, service) == set()
            async with asyncio.timeout(10):
                while alive(pid):  # noqa: ASYNC110 - a process says nothing when it ends
                    await asyncio.sleep(0.05)
