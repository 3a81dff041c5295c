"""Every kind of client in the field, replayed to the real server; and each insistence, seen to fail."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlencode

import pytest
from tests.flows.scripted import scripted_lumi

from lumi.testing.device import FakeDevice
from lumi.testing.device_tools import ScriptedDeviceTools
from lumi.testing.engines import ScriptedLlm, ScriptedTts
from lumi.testing.insistences import INSISTENCES, complaints
from lumi.testing.mutations import MUTATIONS, MutatedLink, Mutation
from lumi.testing.rehearsal import Rehearsal, spoken
from lumi.testing.replay import ANSWERS, Recording, Script, replay, scripts
from lumi.testing.wire import V3
from lumi.transport.base import Link, LinkInfo
from lumi.transport.websocket import connect

SCRIPTS = scripts()

SOCKET_SLACK_MS = 60.0
"""How late a busy machine may see a frame."""


async def played(script: Script) -> Recording:
    async with Rehearsal(llm=ScriptedLlm(ANSWERS)) as house:
        return await replay(house.link(script.info), script)


@pytest.mark.parametrize("name", SCRIPTS)
async def test_the_server_does_all_that_a_client_insists_on(name: str) -> None:
    recording = await played(SCRIPTS[name])
    assert complaints(recording) == {}
    assert recording.stuck == ""


@pytest.mark.real
@pytest.mark.parametrize("name", ["firmware-v2", "gateway", "phone-two-hellos", "web"])
async def test_it_does_so_over_a_socket(name: str) -> None:
    script = SCRIPTS[name]
    async with scripted_lumi(llm=ScriptedLlm(ANSWERS)) as server:
        url = f"{server.url.rstrip('/')}/xiaozhi/v1/?{urlencode(script.query)}"
        link = await connect(url, script.headers)
        recording = await replay(link, script, slack_ms=SOCKET_SLACK_MS)
    assert complaints(recording) == {}


def board(device_id: str | None) -> LinkInfo:
    named = {} if device_id is None else {"device-id": device_id}
    return LinkInfo(headers={"protocol-version": "3", "user-agent": "esp-box-3/1.8.5", **named})


@pytest.mark.parametrize("next_id", ["24:0a:c4:ff:ff:ff", None])
async def test_a_board_that_forgets_its_id_and_loses_the_network_in_mid_answer_hears_the_next(
    next_id: str | None,
) -> None:
    tools = ScriptedDeviceTools({"self.lamp.set": lambda _: "on"})
    async with Rehearsal(llm=ScriptedLlm(ANSWERS)) as house:
        link = house.link(board("24:0a:c4:00:00:01"))
        async with FakeDevice(link, dialect="xiaozhi", framing=V3) as before:
            first = await before.hello(version=3)
            await before.detect("what time is it")
            await before.expect("tts", state="sentence_start")
            await asyncio.sleep(0.5)
            assert before.packets
            link.cut()
            await before.wait_closed()
            assert "tts stop" not in before.types
        async with house.device(board(next_id), dialect="xiaozhi", framing=V3, tools=tools) as after:
            second = await after.hello(version=3)
            await asyncio.sleep(0.2)
            again = await after.hello(version=3, features={"mcp": True})
            assert second["session_id"] == again["session_id"] != first["session_id"]
            await asyncio.sleep(2.0)
            assert after.packets == []
            assert set(after.types) == {"hello", "mcp"}
            await after.listen("start", mode="auto")
            await after.play(spoken(900, then_silent_ms=1200))
            turn = await after.spoken_turn()
            assert turn.sentences == ["It is noon.", "Time to eat."]
            assert len(turn.packets) > 10
            assert after.types.count("tts stop") == 1
            assert tools.methods == ["initialize", "tools/list"]


async def in_mid_answer(link: Link) -> str:
    """Ask on a link that is read by hand until two packets of the answer have come; gives the session."""
    await link.send(json.dumps({"type": "hello", "version": 3, "transport": "websocket"}))
    session: str = json.loads(await link.receive())["session_id"]
    await link.send(json.dumps({"type": "listen", "state": "detect", "text": "what time is it"}))
    packets = 0
    while packets < 2:
        packets += isinstance(await link.receive(), bytes)
    return session


@pytest.mark.real
@pytest.mark.parametrize(
    ("next_id", "falls_silent"), [("24:0a:c4:ff:ff:ff", True), (None, False)], ids=["silent", "reset"]
)
async def test_it_does_so_over_a_socket_that_is_gone_without_a_word(
    next_id: str | None, *, falls_silent: bool
) -> None:
    """Where the network is lost nothing is closed: the server goes on speaking to nobody. Or it hears of it by a reset."""
    tools = ScriptedDeviceTools({"self.lamp.set": lambda _: "on"})
    async with scripted_lumi(llm=ScriptedLlm(ANSWERS), tts=ScriptedTts(ms_per_character=40)) as server:
        before = await connect(server.url, board("24:0a:c4:00:00:01").headers)
        first = await in_mid_answer(before)
        if not falls_silent:
            before._transport.abort()
        link = await connect(server.url, board(next_id).headers)
        async with FakeDevice(link, dialect="xiaozhi", framing=V3, tools=tools) as after:
            second = await after.hello(version=3)
            await asyncio.sleep(0.2)
            again = await after.hello(version=3, features={"mcp": True})
            assert second["session_id"] == again["session_id"] != first
            await after.listen("start", mode="auto")
            await after.play(spoken(400, then_silent_ms=900))
            turn = await after.spoken_turn()
            assert turn.sentences == ["It is noon.", "Time to eat."]
            assert len(turn.packets) > 10
            assert {message["session_id"] for message in after.messages} == {second["session_id"]}
            assert after.types.count("tts stop") == 1
            assert tools.methods == ["initialize", "tools/list"]
        await before.close()


async def played_to(script: Script, mutation: Mutation) -> Recording:
    async with Rehearsal(llm=ScriptedLlm(ANSWERS)) as house:
        return await replay(MutatedLink(house.link(script.info), script, mutation), script)


WRONG = [
    pytest.param(script, mutation, id=f"{script.name}-{what}")
    for script in SCRIPTS.values()
    for what, mutation in MUTATIONS.items()
    if mutation.against in script.insists
]


@pytest.mark.parametrize(("script", "mutation"), WRONG)
async def test_a_server_that_does_it_wrong_is_found_out(script: Script, mutation: Mutation) -> None:
    found = complaints(await played_to(script, mutation))
    assert mutation.against in found


def test_every_insistence_is_somebodys_and_has_a_server_that_does_it_wrong() -> None:
    insisted = {name for script in SCRIPTS.values() for name in script.insists}
    assert insisted == set(INSISTENCES) == {mutation.against for mutation in MUTATIONS.values()}
