"""Devices that nobody has let in yet, over a whole server in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from lumi.engines.base import Voice
from lumi.server.audit import AuditLog
from lumi.server.auth import Doorkeeper, Rules
from lumi.server.gateway import Gateway
from lumi.server.guest import written
from lumi.server.metrics import Metrics
from lumi.server.origins import Origins
from lumi.server.reception import GUESTS_SHARE, MOST_GUESTS, RETRY_AFTER_S, Reception
from lumi.server.registry import CODES_PARTS, CODES_PER_S, PENDING_SHARE, DeviceRegistry
from lumi.testing.device import FakeDevice
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts
from lumi.testing.rehearsal import Rehearsal, spoken
from lumi.transport.base import LinkInfo
from lumi.transport.memory import memory_link_pair

STRANGER = LinkInfo(headers={"device-id": "aa:bb", "client-id": "c"}, remote="192.0.2.7")
BOARD = LinkInfo(headers={"protocol-version": "1", **STRANGER.headers}, remote=STRANGER.remote)


class House:
    """A rehearsal behind a door."""

    def __init__(
        self, rehearsal: Rehearsal, reception: Reception, registry: DeviceRegistry, audit: AuditLog
    ) -> None:
        self.rehearsal = rehearsal
        self.audit = audit
        self.registry = registry
        self.metrics = Metrics()
        self.doorkeeper = Doorkeeper(Rules(pairing=True), Origins("0.0.0.0"), registry)
        self.reception = reception
        self.gateway = Gateway(
            rehearsal.sessions,
            self.metrics,
            rehearsal.gateway_settings,
            wall_clock=rehearsal.wall_clock,
            reception=reception,
        )

    @asynccontextmanager
    async def device(self, info: LinkInfo = STRANGER, **options: Any) -> AsyncIterator[FakeDevice]:
        client, server = memory_link_pair(info)
        admission = self.doorkeeper.judge(info)
        serving = self.rehearsal._tasks.create_task(self.gateway.serve(server, admission))
        async with FakeDevice(client, **options) as device:
            yield device
        await serving

    async def code(self) -> str:
        return (await self.registry.ask("aa:bb", "c")).code


@asynccontextmanager
async def household(**parts: Any) -> AsyncIterator[House]:
    async with Rehearsal(**parts) as rehearsal:
        registry = DeviceRegistry(rehearsal.store, rehearsal.wall_clock)
        doorkeeper = Doorkeeper(Rules(pairing=True), Origins("0.0.0.0"), registry)
        audit = AuditLog(Metrics(), rehearsal.wall_clock)
        reception = Reception(doorkeeper, registry, rehearsal.services, audit, rehearsal.wall_clock)
        async with reception:
            yield House(rehearsal, reception, registry, audit)


async def test_a_stranger_hears_its_code_whatever_it_types():
    llm = ScriptedLlm()
    async with household(llm=llm) as house, house.device() as device:
        answer = await device.hello(features={"resume": True, "mcp": True})
        assert answer["device_id"] == "aa:bb"
        assert "resume" not in answer["features"]
        code = await house.code()
        said = await device.chat("open the door")
        assert written(code) in said["content"]
        assert llm.calls == 0
        assert not len(house.rehearsal.sessions)
        assert len(house.reception.sessions) == 1
    assert not house.rehearsal.present, "none of the household's timers ring there"


async def test_a_board_that_speaks_hears_its_code_digit_by_digit():
    spelt = []

    class Heard(ScriptedTts):
        def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
            spelt.append(text)
            return super().synthesize(text, voice)

    stt, llm = ScriptedStt(), ScriptedLlm()
    async with household(stt=stt, llm=llm, tts=Heard()) as house, house.device(dialect="xiaozhi") as device:
        await device.hello()
        await device.listen("start", mode="manual")
        await device.play(spoken(600))
        await device.listen("stop")
        turn = await device.spoken_turn()
        said = " ".join(message.get("text", "") for message in device.messages if message["type"] == "tts")
        code = await house.code()
        assert written(code) in said
        assert ", ".join(code) in " ".join(spelt)
        assert turn.packets
        assert stt.calls == llm.calls == 0


async def test_who_shows_notices_gets_the_code_as_such():
    async with household() as house, house.device() as device:
        await device.hello(features={"notify": True})
        notice = await device.expect("notify")
        assert notice["code"] == written(await house.code())
        assert notice["code"] in notice["text"]


async def test_once_let_in_the_same_connection_is_a_full_session():
    async with household(llm=ScriptedLlm({"hello": "Hi."})) as house, house.device() as device:
        answer = await device.hello()
        await device.chat("hello")
        await house.registry.confirm(await house.code())
        said = await device.chat("hello")
        assert said["content"] == "Hi."
        assert said["session_id"] == answer["session_id"]
        assert len(house.rehearsal.sessions) == 1
        assert not len(house.reception.sessions)
        assert house.rehearsal.present == ["aa:bb"]


async def test_a_microphone_that_stays_open_is_heard_once_the_device_is_let_in():
    stt, llm = ScriptedStt(["what time is it"]), ScriptedLlm({"what time is it": "Noon."})
    async with household(stt=stt, llm=llm) as house, house.device(dialect="xiaozhi") as device:
        await device.hello()
        await device.listen("start", mode="realtime")
        await device.play(spoken(600, then_silent_ms=1500))
        await device.spoken_turn()
        await house.registry.confirm(await house.code())
        await device.play(spoken(600, then_silent_ms=1500))
        await device.spoken_turn()
        assert any(message.get("text") == "Noon." for message in device.messages)


async def test_a_device_that_was_shut_out_meanwhile_is_told_so_at_its_hello():
    unnamed = LinkInfo(remote="192.0.2.7")
    async with household() as house:
        await house.registry.confirm((await house.registry.ask("aa:bb", "")).code)
        await house.registry.revoke("aa:bb")
        async with house.device(unnamed, device_id="aa:bb") as device:
            await device.send("hello", id="h", version=1, transport="websocket", device_id="aa:bb")
            error = await device.expect("error")
            assert error["error_code"] == "unauthorized"
            closed = await device.wait_closed()
            assert closed.code == 4401


async def test_strangers_are_bounded_and_take_no_room_from_the_household():
    async with household(max_sessions=1) as house, AsyncExitStack() as stack:
        for number in range(MOST_GUESTS):
            info = replace(STRANGER, remote=f"198.51.100.{number}")
            await (await stack.enter_async_context(house.device(info))).hello()
        one_more = await stack.enter_async_context(house.device())
        await one_more.send("hello", id="h", version=1, transport="websocket")
        assert (await one_more.expect("error"))["error_code"] == "overloaded"
        await house.registry.confirm((await house.registry.ask("friend", "")).code)
        friend = LinkInfo(headers={"device-id": "friend"}, remote="192.0.2.7")
        device = await stack.enter_async_context(house.device(friend))
        assert (await device.hello())["device_id"] == "friend"


async def test_one_address_cannot_take_all_places_of_those_who_wait():
    async with household() as house, AsyncExitStack() as stack:
        for _ in range(GUESTS_SHARE):
            await (await stack.enter_async_context(house.device())).hello()
        one_more = await stack.enter_async_context(house.device())
        await one_more.send("hello", id="h", version=1, transport="websocket")
        error = await one_more.expect("error")
        assert (error["error_code"], error["retry_after"]) == ("rate_limited", RETRY_AFTER_S)
        assert (await one_more.wait_closed()).code == 1013
        info = replace(BOARD, remote="192.0.2.8")
        other = await stack.enter_async_context(house.device(info, dialect="xiaozhi"))
        await other.hello()
        assert (await other.expect("alert"))["status"] == "Pairing"


async def test_where_all_places_are_taken_who_has_many_makes_room():
    async with household() as house, AsyncExitStack() as stack:
        crowd = [replace(STRANGER, remote=f"192.0.2.{number % 5}") for number in range(MOST_GUESTS)]
        devices = [await stack.enter_async_context(house.device(info)) for info in crowd]
        for device in devices:
            await device.hello()
        newcomer = await stack.enter_async_context(house.device(replace(STRANGER, remote="192.0.2.99")))
        await newcomer.hello()
        assert (await devices[0].wait_closed()).code == 1013
        assert [refusal.reason for refusal in house.audit.latest] == ["crowded"]
        assert not any(device.closed for device in devices[1:])


async def test_a_guest_that_gets_no_code_is_told_when_to_ask_again_and_may_stay():
    async with household() as house:
        for number in range(PENDING_SHARE):
            await house.registry.ask(f"invented {number}", "", address=STRANGER.remote)
        async with house.device(BOARD, dialect="xiaozhi") as board:
            await board.hello()
            assert "this address" in (await board.expect("alert"))["message"]
        async with house.device() as device:
            await device.hello()
            error = await device.expect("error")
            assert (error["error_code"], error["retry_after"]) == ("rate_limited", CODES_PARTS / CODES_PER_S)
            reasons = [(refusal.reason, refusal.device_id) for refusal in house.audit.latest]
            assert reasons == [("address_codes", "aa:bb")] * 2
            await house.registry.forget("invented 3")
            await asyncio.sleep(CODES_PARTS / CODES_PER_S)
            said = await device.chat("hello")
            assert written(await house.code()) in said["content"]


async def test_the_household_is_welcome_and_noted():
    async with household(llm=ScriptedLlm({"hello": "Hi."})) as house:
        await house.registry.confirm(await house.code())
        async with house.device() as device:
            await device.hello()
            assert (await device.chat("hello"))["content"] == "Hi."
        await house.registry.refresh()
        found = house.registry.get("aa:bb")
        assert found is not None
        assert found.last_seen == pytest.approx(house.rehearsal.wall_clock(), abs=60)


async def test_a_guest_calls_itself_as_its_hello_says_and_no_token_stays_with_it():
    async with household() as house, house.device() as device:
        await device.hello(device_name="Box", token="")
        await device.chat("hello")
        (found,) = house.registry.all()
        assert (found.id, found.name) == ("aa:bb", "Box")
        await house.registry.confirm(await house.code())
        (found,) = house.registry.all()
        assert found.name == "Box"


async def test_where_nobody_judges_hellos_only_who_was_welcome_comes_in():
    async with household() as house, house.device() as device:
        house.gateway._reception = None
        await device.send("hello", id="h", version=1, transport="websocket")
        assert (await device.expect("error"))["error_code"] == "unauthorized"
        assert (await device.wait_closed()).code == 4401
        assert not len(house.rehearsal.sessions)
