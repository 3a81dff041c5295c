from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from lumi.config import Config
from lumi.config.devices import DeviceSettings
from lumi.config.engines import LlmSettings
from lumi.config.tools import HomeAssistantSettings, McpServerSettings, ToolSettings
from lumi.engines.base import ChatMessage, Prompt, Speaker, TextDelta, ToolCall
from lumi.errors import ConfigError
from lumi.server.bells import Bells
from lumi.server.device_overrides import DeviceOverrides
from lumi.server.kit import Kit
from lumi.server.tooling import Tooling, mcp_server, tooling, uses_models
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.testing.device_tools import ScriptedDeviceTools
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, Step
from lumi.testing.rehearsal import Rehearsal
from lumi.testing.tools import ScriptedTools

MODEL = LlmSettings(engine="scripted")


async def never(*_: object, **__: object) -> bool:
    return False


def made(config: Config) -> tuple[Tooling | None, list[tuple[str, str]]]:
    counted: list[tuple[str, str]] = []
    store, clock = MemoryStore(), WallClock()
    bells = Bells(store, clock, never)
    return tooling(
        config, bells, store, clock, lambda name, outcome: counted.append((name, outcome))
    ), counted


def kit(llm: ScriptedLlm, overrides: DeviceOverrides | None = None) -> Kit:
    return Kit(ScriptedStt(), llm, ScriptedTts(), overrides=overrides or DeviceOverrides())


async def say(kit: Kit, text: str) -> str:
    prompt = Prompt((ChatMessage("user", text),), Speaker(device_id="d", turn_id=text))
    return "".join([event.text async for event in kit.llm.reply(prompt) if isinstance(event, TextDelta)])


def test_without_a_model_there_are_no_tools():
    assert made(Config())[0] is None
    assert not uses_models(Config())
    assert uses_models(Config(devices={"a": DeviceSettings(llm="spare")}))


async def test_a_model_is_handed_the_tools_of_its_session():
    tools, counted = made(Config(llm=MODEL))
    assert tools is not None
    call = ToolCall("1", "lumi_set_timer", '{"seconds": 60}')
    own = ScriptedTools(["lamp"], name="device")
    llm = ScriptedLlm(steps={"go": [[call, ToolCall("2", "device_lamp", "{}")], " and ".join]})
    given = tools.for_session([own]).handed(kit(llm))
    assert await say(given, "go") == "All right: 1 minute, starting now. and done"
    names = [spec.name for spec in llm.prompts[0].tools]
    assert names[0] == "device_lamp", "a device's own first"
    assert "lumi_get_time" in names
    assert counted == [("lumi.set_timer", "done"), ("device.lamp", "done")]
    await tools.aclose()


async def test_exact_commands_are_answered_at_once_unless_they_shall_not():
    for first, answer in ((True, "All right."), (False, "From the model.")):
        config = Config(llm=LlmSettings(engine="scripted", skills_first=first))
        tools, _ = made(config)
        assert tools is not None
        given = tools.for_session([]).handed(kit(ScriptedLlm(lambda _: "From the model.")))
        assert await say(given, "stop") == answer
        assert await say(given, "why") == "From the model."


async def test_a_question_of_one_turn_is_answered_in_the_next():
    tools, _ = made(Config(llm=MODEL, tools=ToolSettings(confirm=("device.*",), skills=False)))
    assert tools is not None
    own = ScriptedTools(["door"], {"door": ["open"]}, name="device")
    session = tools.for_session([own])
    llm = ScriptedLlm(steps={"go": [[ToolCall("1", "device_door", "{}")]], "yes": [" ".join]})
    assert "Shall I really" in await say(session.handed(kit(llm)), "go")
    assert await say(session.handed(kit(llm)), "yes") == "open"


async def test_a_device_has_only_what_it_is_permitted():
    tools, _ = made(Config(llm=MODEL))
    assert tools is not None
    llm = ScriptedLlm()
    given = kit(llm, DeviceOverrides(tools_allow=("lumi.*timer*",), tools_deny=("lumi.cancel*",)))
    await say(tools.for_session([]).handed(given), "hello")
    assert [spec.name for spec in llm.prompts[0].tools] == ["lumi_set_timer", "lumi_list_timers"]


def test_the_skills_alone_need_nothing():
    tools, _ = made(Config(llm=MODEL))
    assert tools is not None
    given = kit(ScriptedLlm(name="skills"))
    handed = tools.for_session([]).handed(given)
    assert handed.llm is given.llm
    assert handed.tools is not None, "a realtime model may still call them"


def test_tool_servers_and_the_home_are_made_from_the_settings():
    home = HomeAssistantSettings(url="http://127.0.0.1:1", token=SecretStr("t"))
    server = McpServerSettings(command="x", timeout_s=3)
    tools, _ = made(Config(llm=MODEL, mcp={"files": server}, home_assistant=home))
    assert tools is not None
    assert [source.name for source in tools.shared] == ["function", "files", "home", "lumi"]


@pytest.mark.parametrize(
    ("config", "key"),
    [
        (Config(llm=MODEL, mcp={"files": McpServerSettings()}), "mcp.files"),
        (Config(llm=MODEL, mcp={"files": McpServerSettings(command="x", url="y")}), "mcp.files"),
        (Config(llm=MODEL, home_assistant=HomeAssistantSettings(url="x")), "home_assistant.token"),
    ],
)
def test_what_is_missing_is_named(config: Config, key: str):
    with pytest.raises(ConfigError) as caught:
        made(config)
    assert caught.value.key == key


def test_an_address_is_given_its_token_and_headers():
    given = McpServerSettings(url="http://a/", token=SecretStr("sesame"), headers={"X": 3})
    assert mcp_server("far", given)._settings.headers == {"Authorization": "Bearer sesame", "X": "3"}


async def test_functions_are_found_and_skills_loaded_beside():
    tools, _ = made(Config(llm=MODEL))
    assert tools is not None
    await asyncio.wait_for(tools.run(), 60)


async def test_a_model_uses_what_the_device_itself_can_do():
    tools, counted = made(Config(llm=MODEL, tools=ToolSettings(skills=False)))
    lamp = ScriptedDeviceTools({"self.lamp.set": lambda _arguments: "the lamp is on"})
    steps: dict[str, list[Step]] = {
        "light": [[ToolCall("1", "device_self_lamp_set", "{}")], lambda results: f"Look: {results[0]}."]
    }
    house = Rehearsal(llm=ScriptedLlm(steps=steps), tooling=tools)
    async with house, house.device(tools=lamp) as device:
        await device.hello(features={"mcp": True})
        assert (await device.chat("light"))["content"] == "Look: the lamp is on."
    assert [tool for tool, _ in counted] == ["device.self_lamp_set"]
