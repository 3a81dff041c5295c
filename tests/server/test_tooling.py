from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from lumi.config import Config
from lumi.config.devices import DeviceSettings
from lumi.config.engines import LlmSettings
from lumi.config.tools import ToolSettings
from lumi.engines.base import ChatMessage, Prompt, Speaker, TextDelta, ToolCall
from lumi.server.bells import Bells
from lumi.server.device_overrides import DeviceOverrides
from lumi.server.kit import Kit
from lumi.server.tool_room import ToolRoom
from lumi.server.tooling import SessionTools, Tooling, uses_models
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.testing.device_tools import ScriptedDeviceTools
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, Step
from lumi.testing.rehearsal import Rehearsal
from lumi.testing.tools import ScriptedTools

MODEL = LlmSettings(engine="scripted")


async def never(*_: object, **__: object) -> bool:
    return False


@asynccontextmanager
async def made(config: Config) -> AsyncIterator[tuple[Tooling, list[tuple[str, str]]]]:
    """The tools of a house, and what is counted of their use."""
    counted: list[tuple[str, str]] = []
    store, clock = MemoryStore(), WallClock()
    async with ToolRoom(
        Bells(store, clock, never), store, clock, lambda name, outcome: counted.append((name, outcome))
    ) as room:
        tooling = room.furnish(config).tooling
        assert tooling is not None
        yield tooling, counted


def kit(tooling: Tooling | None, llm: ScriptedLlm, overrides: DeviceOverrides | None = None) -> Kit:
    return Kit(ScriptedStt(), llm, ScriptedTts(), overrides=overrides or DeviceOverrides(), tooling=tooling)


async def say(kit: Kit, text: str) -> str:
    prompt = Prompt((ChatMessage("user", text),), Speaker(device_id="d", turn_id=text))
    return "".join([event.text async for event in kit.llm.reply(prompt) if isinstance(event, TextDelta)])


def test_without_a_model_there_are_no_tools():
    assert not uses_models(Config())
    assert uses_models(Config(devices={"a": DeviceSettings(llm="spare")}))
    bare = kit(None, ScriptedLlm())
    assert SessionTools([ScriptedTools()]).handed(bare) is bare


async def test_a_model_is_handed_the_tools_of_its_session():
    call = ToolCall("1", "lumi_set_timer", '{"seconds": 60}')
    own = ScriptedTools(["lamp"], name="device")
    llm = ScriptedLlm(steps={"go": [[call, ToolCall("2", "device_lamp", "{}")], " and ".join]})
    async with made(Config(llm=MODEL)) as (tools, counted):
        given = SessionTools([own]).handed(kit(tools, llm))
        assert await say(given, "go") == "All right: 1 minute, starting now. and done"
    names = [spec.name for spec in llm.prompts[0].tools]
    assert names[0] == "device_lamp", "a device's own first"
    assert "lumi_get_time" in names
    assert counted == [("lumi.set_timer", "done"), ("device.lamp", "done")]


async def test_exact_commands_are_answered_at_once_unless_they_shall_not():
    for first, answer in ((True, "All right."), (False, "From the model.")):
        config = Config(llm=LlmSettings(engine="scripted", skills_first=first))
        async with made(config) as (tools, _):
            given = SessionTools([]).handed(kit(tools, ScriptedLlm(lambda _: "From the model.")))
            assert await say(given, "stop") == answer
            assert await say(given, "why") == "From the model."


async def test_a_question_of_one_turn_is_answered_in_the_next():
    config = Config(llm=MODEL, tools=ToolSettings(confirm=("device.*",), skills=False))
    session = SessionTools([ScriptedTools(["door"], {"door": ["open"]}, name="device")])
    llm = ScriptedLlm(steps={"go": [[ToolCall("1", "device_door", "{}")]], "yes": [" ".join]})
    async with made(config) as (tools, _):
        assert "Shall I really" in await say(session.handed(kit(tools, llm)), "go")
        other = replace(tools, skills_first=False)  # other settings hold meanwhile
        assert await say(session.handed(kit(other, llm)), "yes") == "open"


async def test_a_device_has_only_what_it_is_permitted():
    llm = ScriptedLlm()
    said = DeviceOverrides(tools_allow=("lumi.*timer*",), tools_deny=("lumi.cancel*",))
    async with made(Config(llm=MODEL)) as (tools, _):
        await say(SessionTools([]).handed(kit(tools, llm, said)), "hello")
    assert {spec.name for spec in llm.prompts[0].tools} == {"lumi_set_timer", "lumi_list_timers"}


async def test_the_built_in_skills_are_left_as_they_are():
    async with made(Config(llm=MODEL)) as (tools, _):
        given = kit(tools, ScriptedLlm(name="skills"))
        handed = SessionTools([]).handed(given)
    assert handed.llm is given.llm
    assert handed.tools is not None, "a realtime model may still call them"


async def test_a_board_has_thirty_seconds_whatever_other_tools_have():
    def mute_when_called(asked: dict[str, Any], answer: dict[str, Any]) -> list[dict[str, Any]]:
        return [] if asked["method"] == "tools/call" else [answer]

    arm = ScriptedDeviceTools({"self.arm.wave": lambda _arguments: "waved"}, manner=mute_when_called)
    steps: dict[str, list[Step]] = {"wave": [[ToolCall("1", "device_self_arm_wave", "{}")], " ".join]}
    async with made(Config(llm=MODEL, tools=ToolSettings(skills=False, timeout_s=5))) as (tools, counted):
        house = Rehearsal(llm=ScriptedLlm(steps=steps), tooling=tools)
        async with house, house.device(tools=arm) as device:
            await device.hello(features={"mcp": True})
            began = asyncio.get_running_loop().time()
            asked = await device.send_chat("wave")
            said = (await device.expect("response", id=asked, is_final=True, timeout_s=60))["content"]
            assert asyncio.get_running_loop().time() - began == pytest.approx(30, abs=1)
    assert "did not answer within 30 s" in said
    assert counted == [("device.self_arm_wave", "failed")]


async def test_a_model_uses_what_the_device_itself_can_do():
    lamp = ScriptedDeviceTools({"self.lamp.set": lambda _arguments: "the lamp is on"})
    steps: dict[str, list[Step]] = {
        "light": [[ToolCall("1", "device_self_lamp_set", "{}")], lambda results: f"Look: {results[0]}."]
    }
    async with made(Config(llm=MODEL, tools=ToolSettings(skills=False))) as (tools, counted):
        house = Rehearsal(llm=ScriptedLlm(steps=steps), tooling=tools)
        async with house, house.device(tools=lamp) as device:
            await device.hello(features={"mcp": True})
            assert (await device.chat("light"))["content"] == "Look: the lamp is on."
    assert [tool for tool, _ in counted] == ["device.self_lamp_set"]
