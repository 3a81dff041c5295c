"""A realtime speech model does whole turns over a real server: asked aloud, interrupted, and dying in mid-answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from tests.flows.scripted import CONFIG, scripted_lumi

from lumi.config.duplex import DuplexSettings
from lumi.config.engines import LlmSettings
from lumi.config.tools import ToolSettings
from lumi.engines import circuit
from lumi.engines.circuit import CircuitSettings
from lumi.server.server import Server
from lumi.testing import FakeDevice, ScriptedLlm, SpokenTurn
from lumi.testing.device_tools import ScriptedDeviceTools
from lumi.testing.realtime_script import Call, RealtimeFault
from lumi.testing.realtime_server import RealtimeServer
from lumi.testing.rehearsal import spoken
from lumi.testing.wire import is_tts, kind
from lumi.transport.websocket import connect

pytestmark = pytest.mark.real


def order(turn: SpokenTurn) -> list[str]:
    return [kind(message) for message in turn.messages]


@asynccontextmanager
async def lumi_with(service: RealtimeServer, **engines: Any) -> AsyncIterator[tuple[Server, FakeDevice]]:
    """A server whose settings name the service, and a device that has said hello in xiaozhi's dialect."""
    options = {"timeout_s": 2.0}
    duplex = DuplexSettings(engine="openai_realtime", base_url=service.base_url, options=options)
    bare = {
        "llm": LlmSettings(skills_first=False),
        "tools": ToolSettings(skills=False),
    }  # loading skills takes long
    config = CONFIG.model_copy(update=bare | {"duplex": duplex})
    async with (
        scripted_lumi(config, **engines) as server,
        FakeDevice(await connect(server.url)) as device,
    ):
        await device.hello(features={"emotion": True})
        yield server, device


async def ask(device: FakeDevice) -> SpokenTurn:
    await device.listen("start", mode="auto")
    await device.play(spoken(600, then_silent_ms=900))
    return await device.spoken_turn()


async def test_a_spoken_question_gets_a_spoken_answer_of_one_engine() -> None:
    llm = ScriptedLlm()
    async with (
        RealtimeServer(["It is noon. Time for tea."]) as service,
        lumi_with(service, llm=llm) as (_, device),
    ):
        turn = await ask(device)
        await device.quiet(0.3)
        assert order(turn)[:3] == ["stt", "llm", "tts start"]
        assert turn.messages[0]["text"] == "what time is it"
        assert turn.sentences == ["It is noon.", "Time for tea."]
        assert len(turn.packets) * 60 == pytest.approx(25 * 50, abs=130)
        assert sum(is_tts(item, "stop") for item in device.received) == 1
        await ask(device)
        assert len(service.sessions) == 1
        assert len(service.sessions[0].utterances) == 2
        assert llm.calls == 0


async def test_who_speaks_into_the_answer_ends_it_and_the_model_forgets_the_rest() -> None:
    long = "This is a very long answer that goes on and on and on about nothing at all, really."
    async with RealtimeServer([long, "Yes."], piece_s=0.02) as service, lumi_with(service) as (_, device):
        await device.listen("start", mode="realtime")
        await device.play(spoken(600, then_silent_ms=900))
        await device.expect("tts", state="sentence_start")
        await device.play(spoken(900, then_silent_ms=900))
        await device.expect("tts", state="stop")
        assert (await device.spoken_turn()).sentences == ["Yes."]
        answer = next(item for item in service.sessions[0].items if item.get("role") == "assistant")
        assert 0 < answer["kept_ms"] < answer["spoken_ms"]
        assert len(service.sessions) == 1


@pytest.mark.parametrize("fault", [RealtimeFault.CUT_IN_ANSWER, RealtimeFault.CUT_BEFORE_ANSWER])
async def test_when_the_connection_breaks_the_other_engines_finish_the_turn(fault: RealtimeFault) -> None:
    llm = ScriptedLlm(lambda _: "is what they say.")
    async with RealtimeServer() as service, lumi_with(service, llm=llm) as (server, device):
        service.fault = fault
        turn = await ask(device)
        await device.quiet(0.3)
        assert turn.sentences[-1] == "is what they say."
        assert sum(is_tts(item, "stop") for item in device.received) == 1
        async with aiohttp.ClientSession() as http, http.get(server.page_url + "healthz") as answer:
            (engine,) = (await answer.json())["engines"]["duplex"]
            assert answer.status == 200
            assert (engine["state"], engine["last_trouble"]) == ("open", "unreachable")


async def test_a_model_that_was_left_out_is_asked_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is probed meanwhile; as long as it lets nobody in, it is not asked, however much time passes."""
    impatient = CircuitSettings(first_wait_s=0.2, factor=1.0)
    monkeypatch.setattr(circuit, "CircuitSettings", lambda: impatient)
    llm = ScriptedLlm(lambda _: "is what they say.")
    async with RealtimeServer() as service, lumi_with(service, llm=llm) as (server, device):
        service.fault = RealtimeFault.SHUT
        for _ in range(2):
            assert (await ask_at_once(device)).sentences == ["is what they say."]
        assert not service.sessions
        assert await state_of_duplex(server) != "closed"
        service.fault = RealtimeFault.NONE
        for _ in range(100):
            if await state_of_duplex(server) == "half_open":
                break
            await asyncio.sleep(0.05)
        assert (await ask_at_once(device)).sentences == ["It is noon."]
        assert await state_of_duplex(server) == "closed"


async def state_of_duplex(server: Server) -> str:
    async with aiohttp.ClientSession() as http, http.get(server.page_url + "healthz") as answer:
        (engine,) = (await answer.json())["engines"]["duplex"]
        return str(engine["state"])


LAMP = Call("device_self_lamp_set", '{"level": 7}', then="The lamp is on.")
UNLOCK = Call("device_self_door_unlock", '{"door": "front"}', then="Shall I?")


async def test_its_tools_are_those_of_any_model_and_doors_open_after_a_clear_yes_alone() -> None:
    """What is told to the model is what became of its call; what the user says is taken from the words, not from it."""
    tools = ScriptedDeviceTools(
        {"self.lamp.set": lambda _: "the lamp is at 7", "self.door.unlock": lambda _: "the door is open"}
    )
    turns = [
        ("light please", LAMP, "the lamp is at 7"),
        ("let me in", UNLOCK, "Not done yet. Ask the user exactly this"),
        ("yes, but what time is it", UNLOCK, "Not done yet."),
        ("Yes, please.", replace(UNLOCK, then="It is open."), "the door is open"),
    ]
    answers, words_of_turns = [turn[1] for turn in turns], [turn[0] for turn in turns]
    async with RealtimeServer(answers, words_of_turns, ms_per_character=10) as service:
        duplex = DuplexSettings(engine="openai_realtime", base_url=service.base_url)
        async with (
            scripted_lumi(CONFIG.model_copy(update={"duplex": duplex})) as server,
            FakeDevice(await connect(server.url), tools=tools) as device,
        ):
            await device.hello(features={"mcp": True})
            for words, call, told in turns:
                turn = await ask_at_once(device)
                assert [one["text"] for one in turn.messages if kind(one) == "stt"] == [words]
                assert turn.sentences == [call.then]
                assert turn.packets
                (*_, result) = outputs(service)
                assert result.startswith(told), words
    assert len(outputs(service)) == len(turns)
    assert tools.calls == [("self.lamp.set", {"level": 7}), ("self.door.unlock", {"door": "front"})]


async def test_a_tool_that_takes_long_is_bridged_in_the_language_that_was_spoken() -> None:
    tools = ScriptedDeviceTools({"self.lamp.set": lambda _: "on"})
    answers: list[str | Call] = ["你好。", replace(LAMP, then="灯开了。")]
    async with RealtimeServer(answers, ["你好", "开灯"], ms_per_character=10) as service:
        wanted = {
            "duplex": DuplexSettings(engine="openai_realtime", base_url=service.base_url),
            "tools": ToolSettings(skills=False, filler_s=0.1),
        }
        async with (
            scripted_lumi(CONFIG.model_copy(update=wanted)) as server,
            FakeDevice(await connect(server.url), tools=tools) as device,
        ):
            await device.hello(features={"mcp": True})
            assert (await ask_at_once(device)).sentences == ["你好。"]  # its tools have been listed by now
            tools.delay_s = 0.5
            turn = await ask_at_once(device)
            assert turn.sentences == ["请稍等。", "灯开了。"]
            assert turn.packets
            assert outputs(service) == ["on"]


def outputs(service: RealtimeServer) -> list[str]:
    (session,) = service.sessions
    return [item["output"] for item in session.items if item["type"] == "function_call_output"]


async def ask_at_once(device: FakeDevice) -> SpokenTurn:
    await device.listen("start", mode="manual")
    await device.play(spoken(300), frame_ms=5)
    await device.listen("stop")
    return await device.spoken_turn()
