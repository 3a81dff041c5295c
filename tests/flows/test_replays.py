"""Every kind of client in the field, replayed to the real server; and each insistence, seen to fail."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.flows.scripted import scripted_lumi

from lumi.protocol.client_profiles import BUILT_IN, Clients, adapted
from lumi.server.background import Background
from lumi.server.bells import Bells
from lumi.server.gateway import GatewaySettings
from lumi.store.base import Store, Timer
from lumi.store.memory import MemoryStore
from lumi.testing.device import FakeDevice
from lumi.testing.device_tools import ScriptedDeviceTools
from lumi.testing.engines import ScriptedLlm, ScriptedTts
from lumi.testing.insistences import INSISTENCES, complaints
from lumi.testing.mutations import MUTATIONS, MutatedLink
from lumi.testing.rehearsal import Rehearsal, spoken
from lumi.testing.replay import ANSWERS, Recording, Script, replay, scripts
from lumi.testing.wire import V3
from lumi.transport.base import Link, LinkInfo
from lumi.transport.memory import MemoryLink
from lumi.transport.websocket import connect

SCRIPTS = scripts()

SOCKET_SLACK_MS = 60.0
"""How late a busy machine may see a frame."""


def visitor(script: Script, number: int) -> LinkInfo:
    """The script's client; each of several at once has a name of its own."""
    shown = (script.headers, script.query)
    headers, query = (
        {name: f"{said[:-2]}{number:02x}" if name == "device-id" else said for name, said in given.items()}
        for given in shown
    )
    return replace(script.info, headers=headers, query=query)


async def let_wait(store: Store, script: Script, visitors: list[LinkInfo], now: float) -> None:
    """What a script's client missed while it was away."""
    for info in visitors if script.waiting else []:
        device_id = info.headers["device-id"]
        await store.timers.add(
            Timer(f"for {device_id}", device_id, now - 1, "reminder", script.waiting, "en", now)
        )


@asynccontextmanager
async def house(
    script: Script, visitors: int = 1, clients: Clients = BUILT_IN
) -> AsyncIterator[list[MemoryLink]]:
    """A house with everything real but the models; gives a link for each visitor."""
    async with (
        Rehearsal(llm=ScriptedLlm(ANSWERS), gateway_settings=GatewaySettings(clients=clients)) as made,
        Background() as beside,
    ):
        infos = [visitor(script, number) for number in range(visitors)]
        await let_wait(made.store, script, infos, made.wall_clock())
        bells = Bells(made.store, made.wall_clock, made.sessions.push)
        made.on_present = bells.present
        beside.start("bells", bells.run())
        yield [made.link(info) for info in infos]


async def played(script: Script, clients: Clients = BUILT_IN) -> Recording:
    async with house(script, clients=clients) as (link,):
        return await replay(link, script)


@pytest.mark.parametrize("name", SCRIPTS)
async def test_the_server_does_all_that_a_client_insists_on(name: str) -> None:
    recording = await played(SCRIPTS[name])
    assert complaints(recording) == {}
    assert recording.stuck == ""


@pytest.mark.real
async def test_it_does_so_over_sockets() -> None:
    """Four of them at once."""
    some = [SCRIPTS[name] for name in ("firmware-v2", "gateway", "phone-two-hellos", "web")]
    store = MemoryStore()
    for script in some:
        await let_wait(store, script, [script.info], time.time())
    tts = ScriptedTts(ms_per_character=30)
    async with (
        scripted_lumi(store=store, llm=ScriptedLlm(ANSWERS), tts=tts) as server,
        asyncio.TaskGroup() as tasks,
    ):
        playing = {script.name: tasks.create_task(over_a_socket(server.url, script)) for script in some}
    assert {name: complaints(task.result()) for name, task in playing.items()} == {
        name: {} for name in playing
    }


async def over_a_socket(url: str, script: Script) -> Recording:
    where = f"{url.rstrip('/')}/xiaozhi/v1/?{urlencode(script.query)}"
    return await replay(await connect(where, script.headers), script, slack_ms=SOCKET_SLACK_MS)


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


RIGHT = "a server that does it right"


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_server_that_does_it_wrong_is_found_out(name: str) -> None:
    """All of them at once, beside one that does it right; each client has its own session and its own link."""
    script = SCRIPTS[name]
    wrong = {what: one for what, one in MUTATIONS.items() if one.against in script.insists}
    async with house(script, len(wrong) + 1) as (right, *links), asyncio.TaskGroup() as tasks:
        playing = {RIGHT: tasks.create_task(replay(right, script))}
        for (what, mutation), link in zip(wrong.items(), links, strict=True):
            playing[what] = tasks.create_task(replay(MutatedLink(link, script, mutation), script))
    found = {what: complaints(task.result()) for what, task in playing.items()}
    assert found.pop(RIGHT) == {}
    assert {what for what, mutation in wrong.items() if mutation.against not in found[what]} == set()


WRONG_PROFILES: dict[str, dict[str, Any]] = {
    "quiet_before_listen": {"waits_for_listen": False},
    "gap": {"gap_ms": 0.0},
    "lead": {"lead_ms": 1000.0},
    "packet_length": {"frame_ms": 40},
    "hello_audio": {"rate_hz": 24_000},
    "stop_after_playout": {"margin_ms": -200.0},
}
"""Insistence → what a board's profile would have to say for it to be broken by the real server."""


@pytest.mark.parametrize("against", WRONG_PROFILES)
@pytest.mark.parametrize("name", ["firmware-v1", "firmware-v2", "firmware-v3", "gateway"])
async def test_a_board_that_is_served_by_a_wrong_profile_finds_it_out(name: str, against: str) -> None:
    script = SCRIPTS[name]
    clients = adapted(BUILT_IN, script.profile, None, "", WRONG_PROFILES[against])
    assert against in complaints(await played(script, clients))


def test_every_insistence_is_somebodys_and_has_a_server_that_does_it_wrong() -> None:
    insisted = {name for script in SCRIPTS.values() for name in script.insists}
    assert insisted == set(INSISTENCES) == {mutation.against for mutation in MUTATIONS.values()}
