"""A device's tools: what a model may call, over connections that come and go and devices that misbehave."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from lumi.engines.base import Speaker, ToolCall, ToolResult
from lumi.errors import ToolError, ToolUnanswered
from lumi.protocol.mcp import VisionAccess
from lumi.server.device_tools import DeviceTools
from lumi.server.session import Session
from lumi.testing.device import FakeDevice
from lumi.testing.device_tools import ScriptedDeviceTools, never, twice, under_another_id
from lumi.testing.rehearsal import Rehearsal
from lumi.transport.base import LinkInfo

SPEAKER = Speaker(turn_id="turn-1")
MCP = {"mcp": True}
SPEAKER_THING = {
    "name": "Speaker",
    "description": "loudspeaker",
    "properties": {"volume": {"description": "how loud", "type": "number"}},
    "methods": {"SetVolume": {"description": "sets", "parameters": {"volume": {"type": "number"}}}},
}


def lamp(**options: Any) -> ScriptedDeviceTools:
    return ScriptedDeviceTools({"self.lamp.set": lambda told: f"lamp {told['to']}"}, **options)


def tools_of(house: Rehearsal, device: FakeDevice) -> DeviceTools:
    session = house.sessions.get(device.session_id or "")
    assert isinstance(session, Session)
    return session.device_tools


def asked(name: str = "self_lamp_set", arguments: str = '{"to": "on"}', number: str = "1") -> ToolCall:
    return ToolCall(number, name, arguments)


async def names(tools: DeviceTools) -> list[str]:
    return [spec.name for spec in await tools.specs(SPEAKER)]


@pytest.mark.parametrize("dialect", ["lumi", "xiaozhi"])
async def test_a_device_is_asked_what_it_can_do_and_does_it(dialect: Any) -> None:
    schema = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}
    tools = lamp(schemas={"self.lamp.set": schema})
    async with Rehearsal() as house, house.device(dialect=dialect, tools=tools) as device:
        await device.hello(features=MCP)
        mine = tools_of(house, device)
        (spec,) = await mine.specs(SPEAKER)
        assert (spec.name, spec.description, spec.parameters) == (
            "self_lamp_set",
            "does self.lamp.set",
            schema,
        )
        assert await mine.call(asked(), SPEAKER) == ToolResult("lamp on")
        assert tools.calls == [("self.lamp.set", {"to": "on"})]
        assert tools.methods == ["initialize", "tools/list", "tools/call"]
        assert [payload["id"] for payload in tools.asked] == [1, 2, 3]
        assert device.types[0] == "hello"
        assert all(message["session_id"] == device.session_id for message in device.messages)


async def test_nothing_is_asked_of_who_did_not_offer_it() -> None:
    async with Rehearsal() as house, house.device(tools=lamp()) as device:
        await device.hello()
        assert await names(tools_of(house, device)) == []
        await device.quiet(60)


async def test_a_second_hello_adds_the_tools_and_opens_them_once() -> None:
    tools = lamp()
    async with Rehearsal() as house, house.device(dialect="xiaozhi", tools=tools) as device:
        await device.hello()
        await asyncio.sleep(0.2)
        assert tools.asked == []
        for _ in range(3):
            await device.hello(features=MCP)
        assert await names(tools_of(house, device)) == ["self_lamp_set"]
        await device.quiet(60)
        assert tools.methods == ["initialize", "tools/list"]
        assert [kind for kind in device.types if kind != "mcp"] == ["hello"] * 4


async def test_the_list_comes_page_by_page() -> None:
    tools = ScriptedDeviceTools({f"tool.{n}": lambda _: "" for n in range(10)}, page=3)
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        assert await names(tools_of(house, device)) == [f"tool_{n}" for n in range(10)]
        assert [one["params"] for one in tools.asked[1:]] == [
            {},
            *({"cursor": f"tool.{n}"} for n in (3, 6, 9)),
        ]


async def test_a_list_without_end_is_cut_short() -> None:
    tools = ScriptedDeviceTools({f"tool.{n}": lambda _: "" for n in range(500)}, page=20)
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        assert len(await names(tools_of(house, device))) == 128
        await device.quiet(60)
        assert tools.methods.count("tools/list") == 7


async def test_a_device_that_turns_in_circles_is_left() -> None:
    def circling(question: dict[str, Any], answer: dict[str, Any]) -> list[dict[str, Any]]:
        if question["method"] == "tools/list":
            return [answer | {"result": {"tools": [{"name": "a"}], "nextCursor": "again"}}]
        return [answer]

    tools = ScriptedDeviceTools(manner=circling)
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        assert await names(tools_of(house, device)) == ["a"]
        assert tools.methods.count("tools/list") == 64


async def test_tools_that_would_have_one_name_have_two() -> None:
    long = "x" * 100
    names_given = ("a.b", "a_b", long, long + "y")
    tools = ScriptedDeviceTools({name: partial(lambda name, _: name, name) for name in names_given})
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        mine = tools_of(house, device)
        assert await names(mine) == ["a_b", "a_b_2", "x" * 64, "x" * 61 + "_2"]
        assert (await mine.call(asked("a_b_2"), SPEAKER)).text == "a_b"


async def test_a_device_that_never_answers_has_no_tools_and_holds_nobody_up() -> None:
    tools = lamp(manner=never)
    loop = asyncio.get_running_loop()
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        mine, began_at = tools_of(house, device), loop.time()
        assert await names(mine) == []
        assert loop.time() - began_at <= 1.0
        assert await names(mine) == []
        assert loop.time() - began_at <= 1.0
        assert (await device.chat("hello"))["content"]
        await device.quiet(120)
        assert tools.methods == ["initialize"]


async def test_a_call_that_is_never_answered_ends_after_half_a_minute() -> None:
    tools = lamp()
    loop = asyncio.get_running_loop()
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        mine = tools_of(house, device)
        await mine.specs(SPEAKER)
        tools.manner, began_at = never, loop.time()
        with pytest.raises(ToolUnanswered, match="did not answer within 30 s"):
            await mine.call(asked(), SPEAKER)
        assert loop.time() - began_at == pytest.approx(30, abs=0.1)
        with pytest.raises(ToolError, match="did not answer"):  # the same act is not done again
            await mine.call(asked(), SPEAKER)
        assert len(tools.calls) == 1


@pytest.mark.parametrize("manner", [twice, under_another_id])
async def test_answers_too_many_or_to_nobody_disturb_nothing(manner: Any) -> None:
    tools = lamp()
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        mine = tools_of(house, device)
        await mine.specs(SPEAKER)
        tools.manner = manner
        calling = asyncio.create_task(mine.call(asked(), SPEAKER))
        await asyncio.sleep(1)
        assert calling.done() == (manner is twice)
        if calling.done():
            assert (await calling).text == "lamp on"
        else:
            with pytest.raises(ToolError):
                await calling
        tools.manner = twice
        assert (await mine.call(asked(number="2"), SPEAKER)).text == "lamp on"
        assert "error" not in device.types


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (ValueError("bulb broken"), ToolResult("bulb broken", failed=True)),
        (
            {"content": [{"type": "text", "text": "jammed"}], "isError": True},
            ToolResult("jammed", failed=True),
        ),
        (
            {
                "content": [
                    {"type": "image", "mimeType": "image/png", "data": "AA"},
                    {"type": "text", "text": "a cat"},
                ]
            },
            ToolResult("(image: image/png, 2 characters)\na cat"),
        ),
    ],
)
async def test_what_comes_back_is_told_in_words(said: Any, outcome: ToolResult) -> None:
    tools = ScriptedDeviceTools({"do": lambda _: said})
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        mine = tools_of(house, device)
        await mine.specs(SPEAKER)
        assert await mine.call(asked("do", ""), SPEAKER) == outcome


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (asked("fly"), "no such tool"),
        (asked(arguments="{"), "no JSON"),
        (asked(arguments="[1]"), "no JSON object"),
    ],
)
async def test_calls_that_make_no_sense_do_not_reach_the_device(call: ToolCall, problem: str) -> None:
    tools = lamp()
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        mine = tools_of(house, device)
        await mine.specs(SPEAKER)
        with pytest.raises(ToolError, match=problem):
            await mine.call(call, SPEAKER)
        assert tools.calls == []


async def test_one_act_is_done_once_however_often_it_is_asked_for() -> None:
    tools = lamp(delay_s=0.1)
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        mine = tools_of(house, device)
        await mine.specs(SPEAKER)
        first, second = await asyncio.gather(mine.call(asked(), SPEAKER), mine.call(asked(), SPEAKER))
        assert first == second == await mine.call(asked(), SPEAKER)
        assert len(tools.calls) == 1
        await mine.call(asked(), Speaker(turn_id="turn-2"))
        assert len(tools.calls) == 2
        for _ in range(2):  # who does not say which act it is gets two
            await mine.call(asked(), Speaker())
        assert len(tools.calls) == 4


async def test_a_call_with_the_id_of_another_is_not_that_other() -> None:
    tools = lamp()
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        mine = tools_of(house, device)
        await mine.specs(SPEAKER)
        await mine.call(asked(), SPEAKER)
        await mine.call(replace(asked(), arguments='{"to": "off"}'), SPEAKER)
        assert len(tools.calls) == 2


async def test_old_acts_are_forgotten() -> None:
    tools = lamp()
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        mine = tools_of(house, device)
        await mine.specs(SPEAKER)
        for number in (*range(65), 0):
            await mine.call(asked(number=str(number)), SPEAKER)
        assert len(tools.calls) == 66


async def test_who_gives_up_waiting_leaves_the_others_waiting() -> None:
    tools = lamp(delay_s=1.0)
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        mine = tools_of(house, device)
        await asyncio.sleep(5)
        impatient = asyncio.create_task(mine.call(asked(), SPEAKER))
        patient = asyncio.create_task(mine.call(asked(), SPEAKER))
        await asyncio.sleep(0.1)
        impatient.cancel()
        assert (await patient).text == "lamp on"


async def test_tools_outlive_the_connection() -> None:
    tools = lamp()
    features = MCP | {"resume": True}
    async with Rehearsal() as house:
        async with house.device(tools=tools) as device:
            await device.hello(features=features)
            mine = tools_of(house, device)
            await mine.specs(SPEAKER)
            tools.manner = never
            calling = asyncio.create_task(mine.call(asked(), SPEAKER))
            await asyncio.sleep(0.1)
            session_id = device.session_id
        with pytest.raises(ToolError, match="connection to the device broke"):
            await calling
        assert await names(mine) == []
        with pytest.raises(ToolError, match="not connected"):
            await mine.call(asked(number="2"), SPEAKER)
        again = lamp()
        async with house.device(tools=again) as device:
            hello = await device.hello(features=features, resume={"session_id": session_id, "received": 0})
            assert hello["resumed"]
            assert tools_of(house, device) is mine
            assert (await mine.call(asked(number="3"), SPEAKER)).text == "lamp on"
            assert again.methods == ["tools/call"]


async def test_a_list_that_a_broken_line_cut_off_is_asked_for_again() -> None:
    tools = lamp(delay_s=0.5)
    features = MCP | {"resume": True}
    async with Rehearsal() as house:
        async with house.device(tools=tools) as device:
            await device.hello(features=features)
            await asyncio.sleep(0.7)
            assert tools.methods == ["initialize", "tools/list"]
        tools.delay_s = 0.0
        async with house.device(tools=tools) as back:
            await back.hello(features=features, resume={"session_id": device.session_id, "received": 0})
            assert await names(tools_of(house, back)) == ["self_lamp_set"]
            assert tools.methods == ["initialize", "tools/list"] * 2


async def test_a_device_that_has_other_tools_now_says_so() -> None:
    tools = ScriptedDeviceTools({"a": lambda _: ""})
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        mine = tools_of(house, device)
        assert await names(mine) == ["a"]
        tools.tools = {"b": lambda _: ""}
        await device.send("mcp", payload={"method": "notifications/tools/list_changed"})
        await asyncio.sleep(0.1)
        assert await names(mine) == ["b"]
        tools.manner = never
        await device.send("mcp", payload={"method": "notifications/tools/list_changed"})
        await asyncio.sleep(31)
        assert await names(mine) == ["b"]


async def test_what_a_device_asks_is_answered() -> None:
    async with Rehearsal() as house, house.device() as device:
        await device.hello(features=MCP)
        await device.expect("mcp")
        await device.send("mcp", payload={"jsonrpc": "2.0", "id": 7, "method": "ping"})
        assert (await device.expect("mcp"))["payload"] == {"jsonrpc": "2.0", "id": 7, "result": {}}
        await device.send("mcp", payload={"jsonrpc": "2.0", "id": 8, "method": "roots/list"})
        assert (await device.expect("mcp"))["payload"]["error"]["code"] == -32601
        await device.send("mcp", payload={"jsonrpc": "2.0", "method": "notifications/whatever"})
        await device.send("mcp", payload={"nonsense": 1})
        assert "mcp.payload" in (await device.expect("error"))["error_message"]


async def test_a_camera_board_learns_where_to_post() -> None:
    tools = lamp()
    async with Rehearsal(vision=lambda device_id, url: VisionAccess(f"{url}/see", device_id)) as house:
        info = LinkInfo(headers={"host": "lumi.local:8000", "device-id": "cam"})
        async with house.device(info, tools=tools, dialect="xiaozhi") as device:
            await device.hello(features=MCP)
            await asyncio.sleep(0.1)
    vision = tools.asked[0]["params"]["capabilities"]["vision"]
    assert vision == {"url": "http://lumi.local:8000/see", "token": "cam"}


async def test_older_boards_tell_of_things() -> None:
    async with Rehearsal() as house, house.device(dialect="xiaozhi") as device:
        await device.hello()
        mine = tools_of(house, device)
        await device.send("iot", update=True, descriptors=[SPEAKER_THING])
        await asyncio.sleep(0.1)
        assert await names(mine) == ["Speaker_state", "Speaker_SetVolume"]
        assert (await mine.call(asked("Speaker_state", "{}"), SPEAKER)).failed
        await device.send("iot", update=True, states=[{"name": "Speaker", "state": {"volume": 40}}])
        await asyncio.sleep(0.1)
        assert (await mine.call(asked("Speaker_state", "{}", "2"), SPEAKER)).text == '{"volume": 40}'
        done = await mine.call(asked("Speaker_SetVolume", '{"volume": 60}', "3"), SPEAKER)
        assert not done.failed
        sent = await device.expect("iot")
        assert sent["commands"] == [{"name": "Speaker", "method": "SetVolume", "parameters": {"volume": 60}}]
        with pytest.raises(ToolError, match="missing: volume"):
            await mine.call(asked("Speaker_SetVolume", "{}", "4"), SPEAKER)


async def test_closing_lets_go_of_everything() -> None:
    tools = lamp()
    async with Rehearsal() as house, house.device(tools=tools) as device:
        await device.hello(features=MCP)
        mine = tools_of(house, device)
        await mine.specs(SPEAKER)
        tools.manner = never
        calling = asyncio.create_task(mine.call(asked(), SPEAKER))
        await asyncio.sleep(0)
        await mine.aclose()
        with pytest.raises(ToolError):
            await calling
        assert await names(mine) == []
