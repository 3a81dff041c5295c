"""A client that comes back: the same session, nothing lost, nothing twice. Over memory links, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lumi.engines.base import ChatMessage
from lumi.errors import StoreError
from lumi.store import open_store
from lumi.store.base import StoredEvent
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.testing.device import FakeDevice
from lumi.testing.engines import ScriptedLlm, ScriptedTts
from lumi.testing.rehearsal import Rehearsal, spoken

STORY = "Once upon a time there was a fox. It lived in a forest. One day it went to town."
RESUME: dict[str, Any] = {"resume": True}


async def come_back(device: FakeDevice, session_id: str, received: int = 0) -> dict[str, Any]:
    asked = {"session_id": session_id, "received": received}
    return await device.hello(features=RESUME, resume=asked)


async def test_events_carry_numbers_only_for_who_asked() -> None:
    async with Rehearsal() as house, house.device() as one, house.device(device_id="two") as two:
        await one.hello(features=RESUME)
        await two.hello()
        assert [(await one.chat(text))["seq"] for text in "ab"] == [1, 2]
        assert "seq" not in await two.chat("c")
        await one.detect("d")
        assert (await one.expect("stt"))["seq"] == 3
        turn = await one.spoken_turn()
        assert not any("seq" in message for message in turn.messages)


async def test_what_was_not_acknowledged_is_said_again_in_order() -> None:
    async with Rehearsal() as house:
        async with house.device() as device:
            hello = await device.hello(features=RESUME)
            for text in "abc":
                await device.chat(text)
            await device.send("ack", seq=1)
        async with house.device() as device:
            again = await come_back(device, hello["session_id"], received=1)
            assert (again["resumed"], again["session_id"]) == (True, hello["session_id"])
            assert [(await device.expect("response"))["seq"] for _ in range(2)] == [2, 3]
            await device.quiet(5)
            assert (await device.chat("d", id="d"))["seq"] == 4


async def test_the_dialogue_goes_on() -> None:
    llm = ScriptedLlm()
    async with Rehearsal(llm=llm) as house:
        async with house.device() as device:
            hello = await device.hello(features=RESUME)
            await device.chat("my name is Ada")
        await asyncio.sleep(9 * 60)
        async with house.device() as device:
            await come_back(device, hello["session_id"], received=1)
            await device.chat("what is my name", id="later")
    assert ChatMessage("user", "my name is Ada") in llm.prompts[-1].messages


async def test_after_the_window_a_new_session_begins() -> None:
    async with Rehearsal() as house, asyncio.TaskGroup() as tasks:
        sweeping = tasks.create_task(house.sessions.sweep())
        async with house.device() as device:
            hello = await device.hello(features=RESUME)
        await asyncio.sleep(12 * 60)
        assert len(house.sessions) == 0
        async with house.device() as device:
            again = await come_back(device, hello["session_id"])
            assert again["resumed"] is False
            assert again["session_id"] != hello["session_id"]
            await device.chat("hello", id="later")
        sweeping.cancel()


@pytest.mark.parametrize("who", ["somebody else", "received too much", "unknown", "not asked for"])
async def test_whom_a_session_does_not_belong_to_starts_anew(who: str) -> None:
    async with Rehearsal() as house:
        async with house.device() as device:
            hello = await device.hello(features=None if who == "not asked for" else RESUME)
            await device.chat("secret")
        name = "another-device" if who == "somebody else" else "test-device"
        session_id = "no such session" if who == "unknown" else hello["session_id"]
        async with house.device(device_id=name) as device:
            again = await come_back(device, session_id, received=5 if who == "received too much" else 0)
            assert again["resumed"] is False
            assert again["session_id"] != hello["session_id"]
            await device.quiet(5)


async def test_a_stored_session_that_cannot_be_resumed_is_not_held() -> None:
    store, clock = MemoryStore(), WallClock()
    async with Rehearsal(store=store, wall_clock=clock) as house, house.device() as device:
        hello = await device.hello(features=RESUME)
        await device.chat("one")
    async with Rehearsal(store=store, wall_clock=clock) as house, asyncio.TaskGroup() as tasks:
        sweeping = tasks.create_task(house.sessions.sweep())
        async with house.device() as device:
            assert (await come_back(device, hello["session_id"], received=5))["resumed"] is False
            assert len(house.sessions) == 1
        await asyncio.sleep(20 * 60)
        assert len(house.sessions) == 0
        assert await store.sessions.expired(clock() + 1) == []
        sweeping.cancel()


class SlowEvents(MemoryStore):
    """Takes a second to read events, or fails in the middle of it."""

    fails = False

    def __init__(self) -> None:
        super().__init__()
        self._after, self.events.after = self.events.after, self._slow_after  # type: ignore[method-assign]

    async def _slow_after(self, session_id: str, seq: int) -> Sequence[StoredEvent]:
        await asyncio.sleep(1)
        if self.fails:
            raise StoreError("the disk is gone")
        return await self._after(session_id, seq)


async def test_two_lines_at_once_for_a_session_that_is_being_restored() -> None:
    store, clock = SlowEvents(), WallClock()
    async with Rehearsal(store=store, wall_clock=clock) as house, house.device() as device:
        hello = await device.hello(features=RESUME)
        await device.chat("one")
    async with (
        Rehearsal(store=store, wall_clock=clock) as house,
        house.device() as old,
        house.device() as new,
    ):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(come_back(old, hello["session_id"]))
            await asyncio.sleep(0.5)
            again = tasks.create_task(come_back(new, hello["session_id"]))
        assert again.result()["resumed"] is True
        assert (await new.expect("response"))["seq"] == 1
        assert (await old.wait_closed()).code == 4409
        assert len(house.sessions) == 1


async def test_a_store_that_fails_while_a_session_is_restored() -> None:
    store, clock = SlowEvents(), WallClock()
    async with Rehearsal(store=store, wall_clock=clock) as house, house.device() as device:
        hello = await device.hello(features=RESUME)
        await device.chat("one", id="c1")
    async with Rehearsal(store=store, wall_clock=clock) as house, house.device() as device:
        store.fails = True
        assert (await come_back(device, hello["session_id"]))["resumed"] is False
        assert len(house.sessions) == 1
        assert (await device.chat("one", id="c1"))["seq"] == 1


async def test_a_newer_connection_replaces_the_older() -> None:
    async with Rehearsal() as house, house.device() as old, house.device() as new:
        hello = await old.hello(features=RESUME)
        await come_back(new, hello["session_id"])
        assert (await old.wait_closed()).code == 4409
        await asyncio.sleep(1)
        assert (await new.chat("hello"))["session_id"] == hello["session_id"]


async def test_speech_cut_off_comes_back_as_text() -> None:
    llm = ScriptedLlm({"story": STORY})
    async with Rehearsal(llm=llm) as house:
        async with house.device() as device:
            hello = await device.hello(features=RESUME)
            await device.listen("detect", text="story", id="listen-1")
            await device.expect("tts", state="sentence_start")
        await asyncio.sleep(5)
        async with house.device() as device:
            await come_back(device, hello["session_id"])
            assert (await device.expect("stt"))["text"] == "story"
            response = await device.expect("response")
            assert (response["id"], response["content"]) == ("listen-1", STORY)
            await device.quiet(5)


async def test_an_answer_still_being_made_is_made_to_the_end() -> None:
    llm = ScriptedLlm({"story": ["Once. ", 20.0, "The end."]})
    tts = ScriptedTts()
    async with Rehearsal(llm=llm, tts=tts) as house:
        async with house.device() as device:
            hello = await device.hello(features=RESUME)
            await device.detect("story")
            await device.expect("tts", state="sentence_start")
        async with house.device() as device:
            await come_back(device, hello["session_id"], received=1)
            response = await device.expect("response", timeout_s=30)
            assert (response["id"], response["content"]) == (None, "Once. The end.")
            assert tts.spoken == ["Once."]
            await device.detect("hello")
            await device.spoken_turn()


async def test_what_was_only_half_said_by_the_user_is_dropped() -> None:
    async with Rehearsal() as house:
        async with house.device() as device:
            hello = await device.hello(features=RESUME)
            await device.listen("start", mode="manual")
            await device.play(spoken(600))
        async with house.device() as device:
            await come_back(device, hello["session_id"])
            await device.listen("stop")
            await device.quiet(10)


async def test_a_chat_answered_while_its_client_was_away_waits_for_it() -> None:
    async with Rehearsal(llm=ScriptedLlm(delay_s=2)) as house:
        async with house.device() as device:
            hello = await device.hello(features=RESUME)
            await device.send_chat("hello", id="c1")
            await asyncio.sleep(1)
        await asyncio.sleep(5)
        async with house.device() as device:
            await come_back(device, hello["session_id"])
            response = await device.expect("response")
            assert (response["id"], response["seq"]) == ("c1", 1)


async def test_who_says_goodbye_does_not_come_back() -> None:
    async with Rehearsal() as house:
        async with house.device() as device:
            hello = await device.hello(features=RESUME)
            await device.send("goodbye")
            await device.wait_closed()
        await asyncio.sleep(1)
        assert len(house.sessions) == 0
        async with house.device() as device:
            assert (await come_back(device, hello["session_id"]))["resumed"] is False


async def test_too_many_events_unacknowledged_and_the_session_is_not_resumable() -> None:
    async with Rehearsal() as house:
        async with house.device() as device:
            hello = await device.hello(features=RESUME)
            for number in range(1005):
                await device.chat(str(number))
        async with house.device() as device:
            assert (await come_back(device, hello["session_id"]))["resumed"] is False
        async with house.device() as device:
            assert (await come_back(device, hello["session_id"], received=1000))["resumed"] is True
            assert [(await device.expect("response"))["seq"] for _ in range(5)] == list(range(1001, 1006))


async def test_an_acknowledgement_of_what_was_never_sent_is_refused() -> None:
    async with Rehearsal() as house, house.device() as device:
        await device.hello(features=RESUME)
        await device.send("ack", seq=7)
        assert "ack.seq is 7" in (await device.expect("error"))["error_message"]


async def test_a_resumed_session_may_speak_another_format() -> None:
    pcm = {"format": "pcm", "sample_rate": 16000, "channels": 1, "frame_duration": 20}
    async with Rehearsal(llm=ScriptedLlm(lambda _: "Hi.")) as house:
        async with house.device() as device:
            hello = await device.hello(features=RESUME)
        async with house.device(audio_params=pcm) as device:
            assert (await come_back(device, hello["session_id"]))["audio_params"] == pcm
            await device.detect("hello")
            turn = await device.spoken_turn()
            assert {len(packet.content) for packet in turn.packets} == {640}


async def test_a_server_started_anew_knows_the_session() -> None:
    llm = ScriptedLlm({"story": STORY})
    store = MemoryStore()
    async with Rehearsal(llm=llm, store=store) as house, house.device() as device:
        hello = await device.hello(features=RESUME)
        await device.chat("my name is Ada")
        await device.chat("and I like tea")
        await device.send("ack", seq=1)
        await asyncio.sleep(1)
    async with Rehearsal(llm=llm, store=store) as house, house.device() as device:
        again = await come_back(device, hello["session_id"], received=1)
        assert (again["resumed"], again["session_id"]) == (True, hello["session_id"])
        assert "I like tea" in (await device.expect("response", seq=2))["content"]
        assert (await device.chat("what is my name", id="later"))["seq"] == 3
    assert [message.content for message in llm.prompts[-1].messages if message.role == "user"] == [
        "my name is Ada",
        "and I like tea",
        "what is my name",
    ]


@pytest.mark.real
async def test_the_same_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "lumi.db"
    store = await open_store(path)
    async with Rehearsal(store=store) as house, house.device() as device:
        hello = await device.hello(features=RESUME)
        await device.send_chat("remember me", id="c1")
        await device.expect("response")
    await store.aclose()
    store = await open_store(path)
    async with Rehearsal(store=store) as house, house.device() as device:
        assert (await come_back(device, hello["session_id"]))["resumed"] is True
        assert (await device.expect("response"))["id"] == "c1"
        await device.send("chat", id="c1", content="remember me")
        assert (await device.expect("response"))["content"] == "You said: remember me. That is all."
    await store.aclose()


async def test_a_notice_that_was_not_acknowledged_is_shown_again_under_its_number() -> None:
    asked = {"resume": True, "notify": True}
    async with Rehearsal() as house:
        async with house.device() as device:
            session_id = (await device.hello(features=asked))["session_id"]
            await house.sessions.push("test-device", "The eggs.", kind="timer", notice_id="t1", due_at=0.0)
            shown = await device.expect("notify")
            assert (shown["id"], shown["kind"], shown["seq"]) == ("t1", "timer", 1)
        async with house.device() as device:
            await device.hello(features=asked, resume={"session_id": session_id, "received": 0})
            assert await device.expect("notify") == shown
        async with house.device() as device:
            await device.hello(features=asked, resume={"session_id": session_id, "received": 1})
            await asyncio.sleep(10)
            assert "notify" not in device.types
