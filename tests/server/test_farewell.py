"""Clients that fall silent: a spoken goodbye where it is heard, then the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lumi.protocol.client_profiles import BUILT_IN, adapted
from lumi.protocol.messages import Alert, System
from lumi.server.gateway import GatewaySettings
from lumi.server.session import Session
from lumi.testing.engines import ScriptedLlm
from lumi.testing.rehearsal import Rehearsal
from lumi.transport.base import LinkInfo

BOARD = LinkInfo(headers={"protocol-version": "1", "device-id": "board"})


@asynccontextmanager
async def swept(**settings: object) -> AsyncIterator[Rehearsal]:
    given = GatewaySettings(idle_s=100.0, **settings)  # type: ignore[arg-type]
    llm = ScriptedLlm(lambda _: "Yes. " * 600)
    async with Rehearsal(gateway_settings=given, llm=llm) as house, asyncio.TaskGroup() as tasks:
        sweep = tasks.create_task(house.gateway.sweep())
        yield house
        sweep.cancel()


async def test_a_board_hears_goodbye_and_is_cut_off_after_it() -> None:
    async with swept() as house, house.device(BOARD, dialect="xiaozhi") as device:
        await device.hello()
        await device.listen("start", mode="auto")
        turn = await device.spoken_turn(timeout_s=120)
        assert turn.sentences == ["Goodbye!"]
        assert turn.packets
        closed = await device.wait_closed()
        assert (closed.code, closed.reason) == (1000, "idle")
        assert "goodbye" not in device.types


async def test_it_is_said_in_the_language_that_is_spoken() -> None:
    async with swept() as house, house.device(BOARD, dialect="xiaozhi") as device:
        await device.hello(device_info={"locale": "zh-CN"})
        await device.listen("start", mode="auto")
        assert (await device.spoken_turn(timeout_s=120)).sentences == ["再见！"]
        await device.wait_closed()


async def test_whoever_speaks_then_stays() -> None:
    async with swept() as house, house.device(BOARD, dialect="xiaozhi") as device:
        await device.hello()
        await device.listen("start", mode="auto")
        await device.expect("tts", state="sentence_start", timeout_s=120)
        await device.listen("start", mode="auto")
        await asyncio.sleep(90)
        assert device.closed is None
        assert (await device.spoken_turn(timeout_s=30)).sentences == []
        assert (await device.spoken_turn(timeout_s=60)).sentences == ["Goodbye!"]
        await device.wait_closed()


async def test_who_never_listened_is_told_in_writing_only() -> None:
    async with swept() as house, house.device() as device, house.device(BOARD, dialect="xiaozhi") as board:
        await device.hello()
        await board.hello()
        assert (await device.wait_closed(timeout_s=120)).reason == "idle"
        assert device.types == ["hello", "goodbye"]
        await board.wait_closed()
        assert board.types == ["hello"]


async def test_a_long_answer_is_no_silence() -> None:
    async with swept() as house, house.device(BOARD, dialect="xiaozhi") as device:
        await device.hello()
        await device.detect("hello")
        turn = await device.spoken_turn(timeout_s=600)
        assert turn.stopped_s - turn.started_s > 110


async def test_a_profile_may_have_its_own_patience_and_no_goodbye() -> None:
    clients = adapted(BUILT_IN, "firmware", None, "xiaozhi", {"idle_s": 20.0, "farewell": False})
    loop = asyncio.get_running_loop()
    async with swept(clients=clients) as house, house.device(BOARD, dialect="xiaozhi") as device:
        await device.hello()
        await device.listen("start", mode="auto")
        began_at = loop.time()
        await device.wait_closed(timeout_s=30)
        assert 20 < loop.time() - began_at <= 22
        assert device.types == ["hello"]


async def test_only_boards_get_alerts_and_commands() -> None:
    async with swept() as house:
        for info, types in ((BOARD, ["hello", "alert", "system"]), (None, ["hello"])):
            async with house.device(info, dialect="xiaozhi") as device:
                await device.hello()
                session = house.sessions.get(device.session_id or "")
                assert isinstance(session, Session)
                session.instruct(Alert(status="Low", message="Battery", emotion="sad"))
                session.instruct(System(command="reboot"))
                await asyncio.sleep(0.1)
                assert device.types == types
