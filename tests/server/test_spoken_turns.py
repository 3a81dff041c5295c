"""What `test_session` does not show of turns: bounds, endings, what is dropped."""

from __future__ import annotations

import asyncio

from lumi.server.kit import SessionSettings
from lumi.server.session import Session
from lumi.testing.device import FakeDevice
from lumi.testing.engines import ScriptedLlm, ScriptedTts
from lumi.testing.rehearsal import Rehearsal, spoken

STORY = "Once upon a time there was a fox. It lived in a forest. One day it went to town."


async def enter(house: Rehearsal, device: FakeDevice) -> Session:
    hello = await device.hello()
    session = house.sessions.get(hello["session_id"])
    assert isinstance(session, Session)
    return session


async def test_notices_are_spoken_one_after_the_other() -> None:
    async with Rehearsal() as house, house.device() as device:
        session = await enter(house, device)
        for text in ("One.", "Two.", "Three."):
            assert await session.push(text, kind="push", notice_id=text, due_at=0)
        said = [(await device.spoken_turn()).sentences for _ in range(3)]
        assert said == [["One."], ["Two."], ["Three."]]


async def test_more_notices_than_may_wait_are_refused() -> None:
    async with Rehearsal(settings=SessionSettings(waiting_notices=2)) as house, house.device() as device:
        session = await enter(house, device)
        pushed = [await session.push(f"{n}.", kind="push", notice_id=str(n), due_at=0) for n in range(4)]
        assert pushed == [True, True, True, False]  # one is being spoken, two wait


async def test_after_an_abort_the_next_notice_is_spoken() -> None:
    async with Rehearsal(llm=ScriptedLlm({"story": STORY})) as house, house.device() as device:
        session = await enter(house, device)
        await device.detect("story")
        await device.expect("tts", state="sentence_start")
        assert await session.push("Ding.", kind="timer", notice_id="t", due_at=0)
        await device.abort()
        await device.expect("tts", state="stop", timeout_s=0.1)
        assert (await device.spoken_turn()).sentences == ["Ding."]


async def test_a_turn_whose_answer_has_no_sound_still_starts_and_stops() -> None:
    async with Rehearsal(llm=ScriptedLlm(lambda _: "…")) as house, house.device() as device:
        await enter(house, device)
        await device.detect("hello")
        turn = await device.spoken_turn()
        assert turn.packets == []
        assert device.types == ["hello", "stt", "tts start", "tts sentence_start", "tts stop"]


async def test_an_abort_before_the_first_word_leaves_no_answer_in_the_dialogue() -> None:
    llm = ScriptedLlm({"story": STORY})
    async with Rehearsal(llm=llm, tts=ScriptedTts(delay_s=2)) as house, house.device() as device:
        await enter(house, device)
        await device.detect("story")
        await asyncio.sleep(1)
        await device.abort()
        await device.detect("what")
        await device.spoken_turn()
        await device.spoken_turn()
        assert [message.content for message in llm.prompts[-1].messages] == ["story", "what"]


async def test_what_a_dead_turn_still_says_is_dropped() -> None:
    llm = ScriptedLlm({"story": STORY, "joke": "Ha."}, delay_s=0.5)
    async with Rehearsal(llm=llm, tts=ScriptedTts(delay_s=0.5)) as house, house.device() as device:
        await enter(house, device)
        for at_s in (0.2, 0.7, 1.2):
            await device.detect("story")
            await asyncio.sleep(at_s)
            await device.detect("joke")
            await device.expect("tts", state="stop")
            assert (await device.spoken_turn()).sentences == ["Ha."]
        assert device.types.count("tts stop") == 6


async def test_a_second_utterance_in_realtime_replaces_one_that_is_still_thought_about() -> None:
    async with Rehearsal(llm=ScriptedLlm(delay_s=10)) as house, house.device() as device:
        await enter(house, device)
        await device.listen("start", mode="realtime")
        await device.play(spoken(600, then_silent_ms=900))
        await device.expect("stt")
        await device.play(spoken(900, then_silent_ms=900))
        await device.expect("tts", state="stop")
        await device.expect("stt")


async def test_a_session_that_is_closed_takes_no_notice() -> None:
    async with Rehearsal() as house, house.device() as device:
        session = await enter(house, device)
        await house.sessions.close(session.id, "test")
        assert not await session.push("Ding.", kind="timer", notice_id="t", due_at=0)
        await device.quiet(5)
