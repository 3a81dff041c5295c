"""Words for a device: said now, at their time, or when it is back; by every kind of client as it hears such things."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import ValidationError, convert

from lumi.server.background import Background
from lumi.server.bells import Bells
from lumi.server.household import Conflict, Household, UnknownDevice
from lumi.server.pushes import LONGEST_TEXT, Locale, Pushes, PushRequest, UnknownPush
from lumi.server.registry import DeviceRegistry
from lumi.skills.timers import MAX_PER_OWNER, MAX_S
from lumi.store.base import Store
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.testing.device import FakeDevice
from lumi.testing.engines import ScriptedLlm
from lumi.testing.rehearsal import Rehearsal
from lumi.transport.base import LinkInfo


class Doorbell(list[str]):
    """Who comes in is told to the bells."""

    bells: Bells

    def append(self, device_id: str) -> None:
        super().append(device_id)
        self.bells.present(device_id)


class House:
    """A server in memory, its bells and its registry, and what pushes go through."""

    def __init__(self, store: Store, clock: WallClock, **parts: Any) -> None:
        self.clock = clock
        self.present = Doorbell()
        self.lumi = Rehearsal(
            store=store,
            wall_clock=clock,
            present=self.present,
            unsaid=self._unsaid,
            **parts,
        )
        self.registry = DeviceRegistry(store, clock)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[House]:
        async with self.lumi as lumi, Background() as background:
            self.present.bells = bells = Bells(self.lumi.store, self.clock, lumi.sessions.push)
            background.start("bells", bells.run())
            await self.registry.load()
            self.pushes = Pushes(
                Household(self.registry),
                lumi.sessions.visitors,
                bells.timers,
                self.clock,
                lambda _: Locale("en", "Asia/Shanghai"),
            )
            yield self

    def _unsaid(self, notice_id: str) -> None:
        self.present.bells.unsaid(notice_id)

    async def say(self, device: str, text: str = "Dinner is ready.", **when: Any) -> Any:
        return await self.pushes.say(device, convert({"text": text} | when, PushRequest))

    @asynccontextmanager
    async def device(self, device_id: str, **options: Any) -> AsyncIterator[FakeDevice]:
        info = LinkInfo(headers={"device-id": device_id})
        async with self.lumi.device(info, device_id=device_id, **options) as device:
            yield device


@asynccontextmanager
async def at_home() -> AsyncIterator[House]:
    async with House(MemoryStore(), WallClock()).open() as house:
        yield house


async def register(house: House, names: Iterable[tuple[str, str]]) -> None:
    for device_id, name in names:
        await house.registry.confirm((await house.registry.ask(device_id, "c")).code)
        await house.registry.change(device_id, name=name)


async def test_a_device_that_is_here_says_it_now() -> None:
    async with at_home() as house:
        async with house.device("dev") as device:
            await device.hello(features={"notify": True})
            pushed = await house.say("dev", "  Dinner is ready. ")
            assert (pushed.status, pushed.device_id, pushed.text) == ("spoken", "dev", "Dinner is ready.")
            notice = await device.expect("notify")
            assert (notice["kind"], notice["text"], notice["id"]) == ("push", "Dinner is ready.", pushed.id)
            assert (await device.spoken_turn()).sentences == ["Dinner is ready."]
        assert await house.pushes.all() == []


async def test_who_has_not_asked_for_notices_just_hears_it() -> None:
    async with at_home() as house, house.device("dev") as device:
        await device.hello()
        await house.say("dev", "饭好了。")
        assert (await device.spoken_turn()).sentences == ["饭好了。"]
        assert "notify" not in device.types


async def test_firmware_hears_it_after_its_first_listen_only() -> None:
    async with at_home() as house, house.device("board", dialect="xiaozhi") as device:
        await device.hello()
        pushed = await house.say("board")
        assert pushed.status == "waiting"
        await device.quiet(100)
        assert [one.status for one in await house.pushes.all()] == ["waiting"]
        await device.listen("start", mode="auto")
        turn = await device.spoken_turn()
        assert turn.sentences == ["Dinner is ready.", "This was said 2 minutes ago."]
        assert "notify" not in device.types
        await device.listen("start", mode="auto")
        await device.quiet(100)


@pytest.mark.parametrize("when", [{"in_s": 600}, {"at": "later"}])
async def test_it_is_said_at_its_time(when: dict[str, Any]) -> None:
    async with at_home() as house, house.device("dev") as device:
        await device.hello(features={"notify": True})
        if "at" in when:
            at = datetime.fromtimestamp(house.clock(), UTC) + timedelta(seconds=600)
            when = {"at": at.isoformat()}
        pushed = await house.say("dev", **when)
        assert pushed.status == "scheduled"
        assert pushed.due_at == pytest.approx(house.clock() + 600)
        assert [one.status for one in await house.pushes.all()] == ["scheduled"]
        await device.quiet(599)
        assert (await device.expect("notify", timeout_s=2))["text"] == "Dinner is ready."


async def test_a_time_without_a_zone_is_the_devices() -> None:
    async with at_home() as house, house.device("dev") as device:
        await device.hello()
        there = datetime.fromtimestamp(house.clock() + 3600, tz=UTC) + timedelta(hours=8)
        pushed = await house.say("dev", at=there.replace(tzinfo=None).isoformat())
        assert pushed.due_at == pytest.approx(house.clock() + 3600, abs=1)


async def test_what_a_device_misses_waits_for_it_over_a_restart_and_is_said_once() -> None:
    store, clock = MemoryStore(), WallClock()
    async with House(store, clock).open() as house:
        async with house.device("dev") as device:
            await device.hello()
        assert (await house.say("dev", "First.")).status == "waiting"
        assert (await house.say("dev", "Second.", in_s=5)).status == "scheduled"
        await asyncio.sleep(20)
        assert [one.text for one in await house.pushes.all()] == ["First.", "Second."]
    async with House(store, clock).open() as house:
        async with house.device("dev") as device:
            await device.hello(features={"notify": True, "resume": True})
            heard = [await device.expect("notify") for _ in range(2)]
            assert [(one["text"], one["seq"]) for one in heard] == [("First.", 1), ("Second.", 2)]
            assert [(await device.spoken_turn()).sentences for _ in range(2)] == [["First."], ["Second."]]
            await device.quiet(120)
        assert await house.pushes.all() == []
        async with house.device("dev") as device:
            await device.hello(features={"notify": True})
            await device.quiet(120)


LONG = "One sentence. And another one. And a third one. And the last one of all."


@pytest.mark.parametrize("dialect", ["lumi", "xiaozhi"])
@pytest.mark.parametrize("after_s", [0.0, 1.0])
async def test_who_goes_before_it_was_said_hears_it_when_it_is_back(dialect: Any, after_s: float) -> None:
    """Behind an answer that goes on, or in the middle of it."""
    answer = {"long": [word for _ in range(20) for word in ("One more sentence. ", 0.5)]}
    async with House(MemoryStore(), WallClock(), llm=ScriptedLlm(answer)).open() as house:
        async with house.device("dev", dialect=dialect) as device:
            await device.hello()
            if after_s:
                await device.listen("start", mode="manual")
            else:
                await device.detect("long")
                await device.expect("tts", state="sentence_start")
            if after_s:
                await device.listen("stop")
            assert (await house.say("dev", LONG)).status == "spoken"
            assert await house.pushes.all() == []
            await asyncio.sleep(after_s)
        await asyncio.sleep(40)
        assert [one.status for one in await house.pushes.all()] == ["waiting"]
        async with house.device("dev", dialect=dialect) as device:
            await device.hello()
            if dialect == "xiaozhi":
                await device.listen("start", mode="manual")
                await device.listen("stop")
            turn = await device.spoken_turn()
            assert " ".join(turn.sentences).startswith(LONG)
            await device.quiet(100)
        assert await house.pushes.all() == []


@pytest.mark.parametrize("dialect", ["lumi", "xiaozhi"])
async def test_who_has_heard_all_of_it_and_goes_before_it_is_over_hears_it_once(dialect: Any) -> None:
    async with at_home() as house:
        async with house.device("dev", dialect=dialect) as device:
            await device.hello()
            await device.listen("start", mode="auto")
            assert (await house.say("dev", LONG)).status == "spoken"
            whole = await device.spoken_turn()
            assert (await house.say("dev", LONG)).status == "spoken"
            await device.expect("tts", state="start")
            await asyncio.sleep(whole.stopped_s - whole.started_s - 0.2)
            assert device.types.count("tts stop") == 1, "the margin after the last word"
        await asyncio.sleep(40)
        assert await house.pushes.all() == []


async def test_who_can_come_back_to_its_session_gets_the_rest_in_writing_and_not_twice() -> None:
    async with at_home() as house:
        async with house.device("dev") as device:
            answer = await device.hello(features={"resume": True})
            assert (await house.say("dev", LONG)).status == "spoken"
            await asyncio.sleep(1)
        await asyncio.sleep(40)
        assert await house.pushes.all() == []
        async with house.device("dev") as device:
            resume = {"session_id": answer["session_id"], "received": 0}
            assert (await device.hello(features={"resume": True}, resume=resume))["resumed"]
            assert (await device.expect("response"))["content"] == LONG
            await device.quiet(100)


async def test_what_waits_in_a_session_that_nobody_comes_back_to_is_not_lost() -> None:
    answer = {"long": [word for _ in range(20) for word in ("One more sentence. ", 0.5)]}
    async with House(MemoryStore(), WallClock(), llm=ScriptedLlm(answer)).open() as house:
        async with house.device("dev") as device:
            await device.hello(features={"resume": True})
            await device.detect("long")
            await device.expect("tts", state="sentence_start")
            assert (await house.say("dev")).status == "spoken"
        (session,) = house.lumi.sessions.of_device("dev")
        await house.lumi.sessions.close(session.id, "nobody came back")
        await asyncio.sleep(1)
        assert [one.status for one in await house.pushes.all()] == ["waiting"]


async def test_a_server_that_stops_in_mid_sentence_says_it_again_when_it_is_back() -> None:
    store, clock = MemoryStore(), WallClock()
    house = House(store, clock)
    async with house.open(), house.device("dev") as device:
        await device.hello()
        assert (await house.say("dev", LONG)).status == "spoken"
        await asyncio.sleep(1)
        (session,) = house.lumi.sessions.of_device("dev")
        await house.lumi.sessions.close(session.id, "server going away")
    await house.present.bells.settle()
    assert [timer.label for timer in await store.timers.of("dev")] == [LONG]


async def test_it_is_taken_back() -> None:
    async with at_home() as house, house.device("dev") as device:
        await device.hello()
        pushed = await house.say("dev", in_s=60)
        await house.pushes.cancel(pushed.id)
        await device.quiet(120)
        with pytest.raises(UnknownPush, match=pushed.id):
            await house.pushes.cancel(pushed.id)
        with pytest.raises(UnknownPush):
            await house.pushes.cancel("another")


async def test_what_the_user_set_is_neither_listed_nor_cancelled_as_a_push() -> None:
    async with at_home() as house:
        timer = await house.present.bells.timers.add("dev", house.clock() + 60, kind="reminder", label="call")
        assert await house.pushes.all() == []
        with pytest.raises(UnknownPush):
            await house.pushes.cancel(timer.id)


async def test_a_device_is_found_by_its_id_or_by_its_name() -> None:
    async with at_home() as house:
        await register(house, [("aa:bb", "Kitchen"), ("cc:dd", "Bedroom"), ("ee:ff", "bedroom"), ("zz", "")])
        assert (await house.say("kitchen ")).device_id == "aa:bb"
        assert (await house.say("cc:dd")).device_id == (await house.say("CC:DD")).device_id == "cc:dd"
        with pytest.raises(UnknownDevice):
            await house.say(" ")
        with pytest.raises(Conflict, match="the name of several; say one's id: cc:dd, ee:ff") as caught:
            await house.say("Bedroom")
        assert caught.value.code == "ambiguous_device"
        with pytest.raises(UnknownDevice) as unknown:
            await house.say("attic")
        assert unknown.value.args[0] == (
            "there is no device 'attic'; known are: Kitchen (aa:bb), Bedroom (cc:dd), bedroom (ee:ff), zz"
        )


async def test_who_waits_to_be_let_in_is_not_meant_by_what_it_calls_itself() -> None:
    async with at_home() as house:
        await register(house, [("aa:bb", "Kitchen")])
        await house.registry.ask("kitchen", "stranger", name="Kitchen")
        await house.registry.ask("zz", "stranger", name="Attic")
        assert (await house.say("kitchen")).device_id == "aa:bb"
        assert (await house.say("ZZ")).device_id == "zz"
        with pytest.raises(UnknownDevice, match=r"known are: Kitchen \(aa:bb\), kitchen, zz$"):
            await house.say("attic")


async def test_where_nobody_is_known_that_is_said_and_a_long_list_is_cut() -> None:
    async with at_home() as house:
        with pytest.raises(UnknownDevice, match="no device has been here yet"):
            await house.say("attic")
        await register(house, [(f"d{number:02}", "") for number in range(22)])
        with pytest.raises(UnknownDevice, match=r"d19 and 2 more$"):
            await house.say("attic")


async def test_who_was_shut_out_gets_nothing() -> None:
    async with at_home() as house:
        await register(house, [("aa:bb", "Kitchen")])
        await house.registry.revoke("aa:bb")
        with pytest.raises(Conflict, match="shut out") as caught:
            await house.say("kitchen")
        assert caught.value.code == "shut_out"


async def test_only_so_many_wait_for_one_device_and_timers_keep_their_own_room() -> None:
    async with at_home() as house:
        await register(house, [("aa:bb", ""), ("cc:dd", "")])
        for _ in range(MAX_PER_OWNER):
            assert (await house.say("aa:bb", in_s=60)).status == "scheduled"
        with pytest.raises(Conflict, match=f"{MAX_PER_OWNER} messages wait") as caught:
            await house.say("aa:bb")
        assert caught.value.code == "too_many_waiting"
        assert (await house.say("cc:dd")).status == "waiting"
        await house.present.bells.timers.add("aa:bb", house.clock() + 60, kind="timer", duration_s=60)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"text": " \n"}, r"at `\$\.text`"),
        ({"text": "x" * (LONGEST_TEXT + 1)}, r"at `\$\.text`"),
        ({"text": ""}, r"at `\$\.text`"),
        ({}, "text"),
        ({"text": "x", "in_s": -1}, r"at `\$\.in_s`"),
        ({"text": "x", "in_s": MAX_S + 1}, r"at `\$\.in_s`"),
        ({"text": "x", "at": "teatime"}, r"ISO 8601 time .* got 'teatime' - at `\$\.at`"),
        ({"text": "x", "at": "2026-11-29T18:00+01:00", "in_s": 1}, "got both"),
        ({"text": "x", "voice": "y"}, "voice"),
    ],
)
async def test_what_makes_no_sense_names_the_field(body: dict[str, Any], problem: str) -> None:
    async with at_home() as house:
        await register(house, [("dev", "")])
        with pytest.raises(ValidationError, match=problem):
            await house.pushes.say("dev", convert(body, PushRequest))


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00", "9999-12-31T23:59:59-14:00", "2020-01-01T00:00", "2200-01-01t00:00z"]
)
async def test_a_time_that_cannot_be_kept_is_told_so(at: str) -> None:
    async with at_home() as house:
        await register(house, [("dev", "")])
        with pytest.raises(Conflict, match="has passed, or is more than 366 days ahead") as caught:
            await house.say("dev", at=at)
        assert caught.value.code == "bad_time"


async def test_a_moment_ago_is_now() -> None:
    async with at_home() as house:
        await register(house, [("dev", "")])
        ago = datetime.fromtimestamp(house.clock() - 30, UTC).isoformat()
        pushed = await house.say("dev", at=ago)
        assert (pushed.status, pushed.due_at) == ("waiting", pytest.approx(house.clock(), abs=5))
