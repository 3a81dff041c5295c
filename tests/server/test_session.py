"""What a client meets: whole conversations over a memory link, scripted engines, virtual time."""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from lumi.engines.base import EmotionHint, LlmEvent
from lumi.errors import EngineError
from lumi.protocol.messages import ClientHello
from lumi.server.session import Session
from lumi.store.base import StoredEvent, Timer
from lumi.store.memory import MemoryStore
from lumi.testing.engines import Reply, ScriptedLlm, ScriptedStt, ScriptedTts
from lumi.testing.rehearsal import Rehearsal, spoken
from lumi.testing.wire import Json, is_tts

STORY = "Once upon a time there was a fox. It lived in a forest. One day it went to town. It never came back."
BROKEN = EngineError("scripted", "it broke")


class SlowStore(MemoryStore):
    """Takes a second to keep an event."""

    def __init__(self) -> None:
        super().__init__()
        append = self.events.append

        async def slowly(event: StoredEvent) -> None:
            await asyncio.sleep(1)
            await append(event)

        self.events.append = slowly  # type: ignore[method-assign]


def tts_states(messages: list[Json]) -> list[str]:
    return [message["state"] for message in messages if message.get("type") == "tts"]


async def test_a_voice_turn_in_manual_mode() -> None:
    async with (
        Rehearsal(llm=ScriptedLlm(lambda _: "It is three. Time for tea!")) as house,
        house.device() as device,
    ):
        await device.hello()
        await device.listen("start", mode="manual")
        await device.play(spoken(900))
        await device.listen("stop")
        stt = await device.expect("stt")
        assert (stt["text"], stt["is_final"]) == ("what time is it", True)
        turn = await device.spoken_turn()
        assert turn.sentences == ["It is three.", "Time for tea!"]
        sentence = "tts sentence_start"
        assert device.types == ["hello", "stt", "tts start", sentence, sentence, "tts stop"]
        await device.quiet(5)


async def test_auto_mode_finds_the_end_of_speech_and_listens_once() -> None:
    async with Rehearsal() as house, house.device() as device:
        await device.hello()
        await device.listen("start", mode="auto")
        await device.play(spoken(900, then_silent_ms=900))
        await device.expect("stt")
        await device.spoken_turn()
        await device.play(spoken(900, then_silent_ms=900))
        await device.quiet(5)


async def test_a_repeated_start_during_the_answer_takes_effect_after_it() -> None:
    async with Rehearsal(llm=ScriptedLlm(lambda _: STORY)) as house, house.device() as device:
        await device.hello()
        await device.listen("start", mode="auto")
        await device.play(spoken(900, then_silent_ms=900))
        await device.expect("tts", state="sentence_start")
        await device.listen("start", mode="auto")
        await device.expect("tts", state="sentence_start")
        await device.listen("start", mode="auto")
        await device.expect("tts", state="stop")
        assert tts_states(device.messages).count("stop") == 1
        await device.play(spoken(900, then_silent_ms=900))
        await device.expect("stt")


async def test_a_button_during_the_answer_ends_it_and_listens() -> None:
    async with Rehearsal(llm=ScriptedLlm(lambda _: STORY)) as house, house.device() as device:
        await device.hello()
        await device.detect("tell me a story")
        await device.expect("tts", state="sentence_start")
        await asyncio.sleep(1)
        await device.listen("start", mode="manual")
        await device.expect("tts", state="stop")
        before = len(device.packets)
        await device.play(spoken(900))
        assert len(device.packets) == before
        await device.listen("stop")
        assert (await device.expect("stt", text="what time is it"))["is_final"]


async def test_speech_during_the_answer_ends_it_in_realtime() -> None:
    async with Rehearsal(llm=ScriptedLlm(lambda _: STORY)) as house, house.device() as device:
        await device.hello()
        await device.listen("start", mode="realtime")
        await device.play(spoken(900, then_silent_ms=1500))
        await device.expect("tts", state="sentence_start")
        speaking_from = asyncio.get_running_loop().time()
        await device.play(spoken(1200, then_silent_ms=900))
        stopped_at = next(item.at_s for item in device.received if is_tts(item, "stop"))
        last = max(packet.at_s for packet in device.packets if packet.at_s <= stopped_at)
        assert 0 <= last - speaking_from <= 0.25
        await device.expect("tts", state="stop")
        await device.expect("stt", text="what time is it")
        await device.spoken_turn()


async def test_a_cough_only_holds_the_answer_back() -> None:
    async with Rehearsal(llm=ScriptedLlm(lambda _: STORY)) as house, house.device() as device:
        await device.hello()
        await device.listen("start", mode="realtime")
        await device.play(spoken(900, then_silent_ms=1500))
        await device.play(spoken(180, then_silent_ms=1500))
        turn = await device.spoken_turn(timeout_s=120)
        assert len(turn.sentences) == 4
        assert device.types.count("stt") == 1


async def test_an_abort_stops_the_answer_at_once() -> None:
    async with Rehearsal(llm=ScriptedLlm(lambda _: STORY)) as house, house.device() as device:
        await device.hello()
        await device.detect("tell me a story")
        await device.expect("tts", state="sentence_start")
        await asyncio.sleep(1)
        await device.abort("user_interrupt")
        await device.expect("tts", state="stop")
        count = len(device.received)
        await asyncio.sleep(30)
        assert len(device.received) == count
        await device.abort()
        await device.quiet(5)


@pytest.mark.parametrize("after_s", [0.1, 1.0, 2.0, 3.0, 4.0])
async def test_nothing_of_a_turn_comes_after_its_stop(after_s: float) -> None:
    async with Rehearsal(llm=ScriptedLlm(lambda _: STORY)) as house, house.device() as device:
        await device.hello()
        await device.detect("tell me a story")
        await device.expect("tts", state="start")
        await asyncio.sleep(after_s)
        await device.abort()
        await asyncio.sleep(1)
        assert device.types[-1] == "tts stop"
        assert isinstance(device.received[-1].content, dict)


async def test_an_abort_before_anything_was_said_still_gets_its_stop() -> None:
    async with Rehearsal(llm=ScriptedLlm(delay_s=5)) as house, house.device() as device:
        await device.hello()
        await device.detect("hello")
        await asyncio.sleep(1)
        await device.abort()
        await device.expect("tts", state="stop")
        await device.quiet(30)
        assert tts_states(device.messages) == ["stop"]


async def test_an_abort_while_only_listening_drops_what_was_heard() -> None:
    async with Rehearsal() as house, house.device() as device:
        await device.hello()
        await device.listen("start", mode="manual")
        await device.play(spoken(600))
        await device.abort()
        await device.listen("stop")
        await device.quiet(10)


async def test_a_new_typed_turn_ends_the_old_one() -> None:
    llm = ScriptedLlm({"story": STORY, "joke": "Ha."})
    async with Rehearsal(llm=llm) as house, house.device() as device:
        await device.hello()
        await device.detect("story")
        await device.expect("tts", state="sentence_start")
        await device.abort()
        await device.detect("joke")
        await device.expect("tts", state="stop")
        await device.expect("stt", text="joke")
        turn = await device.spoken_turn()
        assert turn.sentences == ["Ha."]
        assert tts_states(device.messages).count("stop") == 2


async def test_after_an_interruption_the_dialogue_keeps_what_was_heard() -> None:
    llm = ScriptedLlm({"story": STORY})
    async with Rehearsal(llm=llm, tts=ScriptedTts(ms_per_character=60)) as house, house.device() as device:
        await device.hello()
        await device.detect("story")
        await device.expect("tts", state="sentence_start", text="It lived in a forest.")
        await asyncio.sleep(0.12 + 0.6)  # half of the second sentence
        await device.abort()
        await device.detect("what did you say")
        await device.spoken_turn()
        said = [message.content for message in llm.prompts[-1].messages if message.role == "assistant"]
        assert said[0] in {
            f"Once upon a time there was a fox. {rest}"
            for rest in ("It", "It lived", "It lived in", "It lived in a")
        }


@pytest.mark.parametrize("stop", ["listen", "empty frame"])
async def test_listening_to_nothing_means_nothing(stop: str) -> None:
    async with Rehearsal() as house, house.device() as device:
        await device.hello()
        await device.listen("stop")
        await device.listen("start", mode="auto")
        if stop == "listen":
            await device.listen("stop")
        else:
            await device.link.send(b"")
        await device.quiet(10)


async def test_an_empty_frame_ends_an_utterance() -> None:
    async with Rehearsal() as house, house.device() as device:
        await device.hello()
        await device.listen("start", mode="auto")
        await device.play([*spoken(600), b""])
        await device.expect("stt", timeout_s=0.3)
        await device.spoken_turn()


async def test_silence_alone_is_answered_with_an_empty_transcript() -> None:
    async with Rehearsal() as house, house.device() as device:
        await device.hello()
        await device.listen("start", mode="manual")
        await device.play(spoken(0, then_silent_ms=900))
        await device.listen("stop")
        assert (await device.expect("stt"))["text"] == ""
        turn = await device.spoken_turn()
        assert turn.sentences == ["Sorry, I didn't catch that."]


@pytest.mark.parametrize(
    ("engines", "code"),
    [
        ({"stt": ScriptedStt([BROKEN])}, "stt_failed"),
        ({"llm": ScriptedLlm(lambda _: [BROKEN])}, "llm_failed"),
        ({"tts": ScriptedTts(failures={None: BROKEN})}, "tts_failed"),
        ({"stt": ScriptedStt([RuntimeError("a bug")])}, "internal"),
        ({"llm": ScriptedLlm(lambda _: [RuntimeError("a bug")])}, "internal"),
    ],
)
async def test_whatever_fails_is_named_and_the_turn_ends(engines: dict[str, Any], code: str) -> None:
    async with Rehearsal(**engines) as house, house.device() as device:
        await device.hello()
        await device.listen("start", mode="manual")
        await device.play(spoken(900))
        await device.listen("stop")
        assert (await device.expect("error"))["error_code"] == code
        await device.expect("tts", state="stop")
        states = tts_states(device.messages)
        assert (states[0], states.count("stop")) == ("start", 1)
        await device.send("ping", timestamp=1)
        await device.expect("pong")


async def test_packets_are_paced_in_real_time() -> None:
    async with Rehearsal(llm=ScriptedLlm(lambda _: STORY)) as house, house.device() as device:
        await device.hello()
        await device.detect("story")
        turn = await device.spoken_turn(timeout_s=120)
        start = turn.packets[0].at_s
        for number, packet in enumerate(turn.packets):
            assert packet.at_s - start >= (number * 60 - 120) / 1000 - 1e-6
            assert packet.at_s - start <= number * 60 / 1000 + 0.02
        assert turn.stopped_s - (start + len(turn.packets) * 0.06) == pytest.approx(0.4, abs=0.03)


async def test_chats_are_answered_in_order_while_speech_goes_on() -> None:
    llm = ScriptedLlm({"story": STORY})
    async with Rehearsal(llm=llm) as house, house.device() as device:
        await device.hello()
        await device.detect("story")
        await device.expect("tts", state="sentence_start")
        ids = [await device.send_chat(f"question {number}") for number in range(5)]
        for number, chat_id in enumerate(ids):
            response = await device.expect("response")
            assert response["id"] == response["request_id"] == chat_id
            assert response["content"] == f"You said: question {number}. That is all."
        await device.spoken_turn(timeout_s=120)


async def test_a_chat_with_speak_is_spoken_after_what_goes_on() -> None:
    llm = ScriptedLlm({"story": STORY, "hi": "Hello there."})
    async with Rehearsal(llm=llm) as house, house.device() as device:
        await device.hello()
        await device.detect("story")
        await device.expect("tts", state="sentence_start")
        await device.send_chat("hi", speak=True)
        assert (await device.expect("response"))["content"] == "Hello there."
        await device.expect("tts", state="stop", timeout_s=60)
        await device.expect("tts", state="sentence_start", text="Hello there.")
        await device.expect("tts", state="stop")


async def test_too_many_chats_are_refused_aloud() -> None:
    async with Rehearsal(llm=ScriptedLlm(delay_s=5)) as house, house.device() as device:
        await device.hello()
        for number in range(35):
            await device.send_chat(f"question {number}")
        error = await device.expect("error", error_code="overloaded")
        assert error["retryable"] is True
        assert error["retry_after"] > 0
        answered = [await device.expect("response", timeout_s=30) for _ in range(32)]
        assert len({response["id"] for response in answered}) == 32


async def test_the_same_chat_is_answered_the_same_and_made_once() -> None:
    llm = ScriptedLlm(delay_s=1)
    async with Rehearsal(llm=llm) as house:
        async with house.device() as device:
            await device.hello()
            await device.send("chat", id="c1", content="hello")
            first = await device.expect("response")
            await device.send("chat", id="c1", content="hello")
            again = await device.expect("response")
            assert again["content"] == first["content"]
            await device.send("chat", id="c1", content="something else")
            assert (await device.expect("error"))["error_code"] == "bad_message"
        async with house.device() as device, house.device() as other:
            await device.hello()
            await other.hello()
            await device.send("chat", id="c2", content="hello")
            await other.send("chat", id="c2", content="hello")
            await device.expect("response", id="c2")
            await other.expect("response", id="c2")
    assert llm.calls == 2


async def test_another_devices_answer_is_nobody_elses() -> None:
    llm = ScriptedLlm()
    async with Rehearsal(llm=llm) as house:
        async with house.device(device_id="one") as device:
            await device.hello()
            await device.send("chat", id="c1", content="hello")
            await device.expect("response")
        async with house.device(device_id="two") as device:
            await device.hello()
            await device.send("chat", id="c1", content="good morning")
            assert "good morning" in (await device.expect("response"))["content"]
    assert llm.calls == 2


async def test_a_failed_chat_is_an_error_that_may_be_tried_again() -> None:
    answers: Iterator[Reply] = iter([[BROKEN], "Fine."])
    async with Rehearsal(llm=ScriptedLlm(lambda _: next(answers))) as house, house.device() as device:
        await device.hello()
        await device.send("chat", id="c1", content="hello")
        error = await device.expect("error")
        assert (error["error_code"], error["id"], error["retryable"]) == ("llm_failed", "c1", True)
        await device.send("chat", id="c1", content="hello")
        assert (await device.expect("response"))["content"] == "Fine."


async def test_what_was_asked_for_is_granted_and_sent() -> None:
    pieces: list[LlmEvent | str | float | Exception] = [EmotionHint("happy"), "One. ", "Two."]
    llm = ScriptedLlm(lambda _: pieces)
    features = {
        "stream": True,
        "partials": True,
        "emotion": True,
        "sentence_end": True,
        "turns": True,
        "metrics": True,
    }
    async with Rehearsal(llm=llm, stt=ScriptedStt(partials=True)) as house, house.device() as device:
        assert (await device.hello(features=features))["features"] == features
        await device.send_chat("count")
        assert (await device.expect("response", is_final=False))["delta"] == "One. "
        assert (await device.expect("response", is_final=True))["content"] == "One. Two."
        await device.listen("start", mode="manual")
        await device.play(spoken(900))
        await device.listen("stop")
        assert (await device.expect("stt", is_final=False))["confidence"] == 0.5
        final = await device.expect("stt", is_final=True)
        assert (await device.expect("llm"))["emotion"] == "happy"
        turn = await device.spoken_turn()
        assert {message["turn_id"] for message in turn.messages if "turn_id" in message} == {final["turn_id"]}
        assert "sentence_end" in tts_states(device.messages)
        assert any(message["type"] == "metrics" for message in device.messages)


async def test_the_clients_last_word_on_playing_ends_the_turn() -> None:
    async with Rehearsal(llm=ScriptedLlm(lambda _: "Yes.")) as house, house.device() as device:
        await device.hello(features={"turns": True, "played": True})
        await device.detect("hello")
        start = await device.expect("tts", state="start")
        await device.expect("tts", state="sentence_start")
        await asyncio.sleep(0.3)
        await device.send("played", turn_id=start["turn_id"], ms=240, final=True)
        await device.expect("tts", state="stop", timeout_s=0.1)


async def test_a_notice_is_shown_at_once_and_spoken_after_what_goes_on() -> None:
    llm = ScriptedLlm({"story": STORY})
    async with Rehearsal(llm=llm) as house, house.device() as device:
        hello = await device.hello(features={"notify": True})
        session = house.sessions.get(hello["session_id"])
        assert session is not None
        await device.detect("story")
        await device.expect("tts", state="sentence_start")
        assert await session.push("Your tea is ready.", kind="timer", notice_id="t1", due_at=1.5)
        notify = await device.expect("notify")
        assert (notify["id"], notify["kind"], notify["due_at"]) == ("t1", "timer", "1970-01-01T00:00:01.500Z")
        await device.expect("tts", state="stop", timeout_s=60)
        await device.expect("tts", state="sentence_start", text="Your tea is ready.")
        await device.expect("tts", state="stop")


async def test_firmware_is_not_spoken_to_before_it_first_listens() -> None:
    async with Rehearsal() as house, house.device(dialect="xiaozhi") as device:
        hello = await device.hello()
        session = house.sessions.get(hello["session_id"])
        assert session is not None
        assert not await session.push("Psst.", kind="push", notice_id="p", due_at=0)
        assert house.present == []
        await device.listen("start", mode="auto")
        await asyncio.sleep(0.1)
        assert house.present == [session.device_id]
        assert await session.push("Psst.", kind="push", notice_id="p", due_at=0)
        turn = await device.spoken_turn()
        assert turn.sentences == ["Psst."]


async def test_a_xiaozhi_turn_has_the_order_that_firmware_expects() -> None:
    async with (
        Rehearsal(llm=ScriptedLlm(lambda _: "Hi.")) as house,
        house.device(dialect="xiaozhi") as device,
    ):
        await device.hello()
        await device.detect("hello")
        await device.expect("tts", state="stop")
        assert device.types == ["hello", "stt", "llm", "tts start", "tts sentence_start", "tts stop"]


async def test_spoken_before_is_sent_from_the_cache() -> None:
    tts = ScriptedTts()
    async with Rehearsal(llm=ScriptedLlm(lambda _: "Hi."), tts=tts) as house, house.device() as device:
        await device.hello()
        await device.detect("one")
        first = await device.spoken_turn()
        await device.detect("two")
        second = await device.spoken_turn()
        assert tts.calls == 1
        assert len(first.packets) == len(second.packets)


async def test_twenty_sessions_hear_only_their_own_words() -> None:
    async with Rehearsal() as house:

        async def talk(number: int) -> None:
            async with house.device(device_id=f"device-{number}") as device:
                await device.hello()
                for turn in range(3):
                    words = f"number {number} turn {turn}"
                    await device.send_chat(f"chat {words}")
                    await device.detect(words)
                    await device.expect("stt", text=words)
                    spoken_turn = await device.spoken_turn()
                    assert spoken_turn.sentences[0] == f"You said: {words}."
                told = [m.get("content", "") + m.get("text", "") for m in device.messages]
                assert all(f"number {number} " in text for text in told if "number" in text)

        async with asyncio.TaskGroup() as devices:
            for number in range(20):
                devices.create_task(talk(number))


async def test_a_device_that_leaves_in_mid_answer_leaves_nothing_behind() -> None:
    llm = ScriptedLlm({"story": STORY})
    async with Rehearsal(llm=llm) as house, house.device() as device:
        await device.hello()
        await device.detect("story")
        await device.expect("tts", state="sentence_start")
        await device.link.close()
        await asyncio.sleep(5)
        assert len(house.sessions) == 0
        assert len(house.gateway) == 0


@pytest.mark.parametrize(("dialect", "gap_s"), [("lumi", 0.0), ("xiaozhi", 0.04)])
async def test_firmware_has_time_to_reset_its_decoder(dialect: Any, gap_s: float) -> None:
    async with Rehearsal() as house, house.device(dialect=dialect) as device:
        await device.hello()
        await device.detect("hello")
        turn = await device.spoken_turn()
        assert gap_s <= turn.packets[0].at_s - turn.started_s <= gap_s + 0.02


async def test_a_notice_is_shown_before_it_is_spoken_also_where_it_is_stored_first() -> None:
    features = {"notify": True, "resume": True}
    async with Rehearsal(store=SlowStore()) as house, house.device() as device:
        hello = await device.hello(features=features)
        session = house.sessions.get(hello["session_id"])
        assert session is not None
        assert await session.push("Your tea is ready.", kind="timer", notice_id="t1", due_at=1.5)
        await device.spoken_turn()
        assert device.types[1:3] == ["notify", "tts start"]


async def test_timers_and_lists_are_shown_to_who_asks_for_cards_and_again_when_they_change() -> None:
    store = MemoryStore()
    async with Rehearsal(llm=ScriptedLlm(lambda _: "Done."), store=store) as house:
        at = house.wall_clock()
        await store.timers.add(Timer("t", "kitchen", at + 30, "timer", "tea", "en", at, 300.0))
        await store.timers.add(Timer("other", "hall", at + 30, "timer", "", "en", at, 300.0))
        async with house.device() as device:
            await device.hello(features={"cards": True}, device_id="kitchen")
            shown = await device.expect("cards")
            assert [timer["label"] for timer in shown["timers"]] == ["tea"]
            assert shown["lists"] == []
            await store.lists.add("kitchen", "shopping", "milk")
            await device.send_chat("milk is gone")
            shown = await device.expect("cards")
            assert shown["lists"] == [{"name": "shopping", "items": ["milk"]}]
            await device.chat("nothing new")
            await device.quiet(1)
            assert device.types.count("cards") == 2


async def test_who_does_not_ask_for_cards_gets_none() -> None:
    async with Rehearsal(llm=ScriptedLlm(lambda _: "Done.")) as house, house.device() as device:
        await device.hello()
        await device.chat("hello")
        await device.quiet(1)
        assert "cards" not in device.types


@pytest.mark.parametrize("dialect", ["lumi", "xiaozhi"])
async def test_an_abort_after_the_last_packet_brings_the_one_stop_forward(dialect: str) -> None:
    async with (
        Rehearsal(llm=ScriptedLlm(lambda _: "Noon.")) as house,
        house.device(dialect=dialect) as device,
    ):
        await device.hello()
        await device.detect("what time is it")
        await device.expect("tts", state="sentence_start")
        await asyncio.sleep(0.3 + 0.1)  # five characters of 60 ms, and a part of the margin of 400 ms
        assert len(device.packets) == 5
        assert "tts stop" not in device.types
        await device.abort()
        await device.expect("tts", state="stop", timeout_s=0.01)
        await device.quiet(5)


async def test_a_chat_that_is_to_be_spoken_is_answered_in_writing_first() -> None:
    async with Rehearsal(llm=ScriptedLlm(lambda _: "Noon.")) as house, house.device() as device:
        await device.hello()
        await device.chat("what time is it", speak=True)
        assert (await device.spoken_turn()).sentences == ["Noon."]
        assert device.types == ["hello", "response", "tts start", "tts sentence_start", "tts stop"]


async def test_a_chat_that_comes_while_one_is_heard_does_not_take_the_answers_place() -> None:
    """Both stand in one dialogue; each is answered to its own words."""
    llm = ScriptedLlm(lambda text: f"You asked {text}.")
    async with Rehearsal(llm=llm, store=SlowStore()) as house, house.device() as device:
        await device.hello(features={"resume": True})
        await device.listen("start", mode="manual")
        await device.play(spoken(600))
        await device.listen("stop")
        await device.send_chat("what day is it")
        assert (await device.spoken_turn()).sentences == ["You asked what time is it."]
        (response,) = [message for message in device.messages if message["type"] == "response"]
        assert response["content"] == "You asked what day is it."


def queues() -> int:
    """Deques, events and queues that are alive: an empty one is 0.7 KB and more."""
    gc.collect()
    return sum(isinstance(one, deque | asyncio.Event | asyncio.Queue) for one in gc.get_objects())


async def test_sessions_on_which_nothing_happens_hold_no_empty_queues() -> None:
    async with Rehearsal() as house, house.device() as device:
        first = house.sessions.get((await device.hello())["session_id"])
        assert isinstance(first, Session)
        before = queues()
        for number in range(10):
            hello = ClientHello(device_id=f"silent-{number}")
            house.sessions.open(
                f"s{number}", f"silent-{number}", first.agreement, hello, lambda _code, _why: None
            )
        await asyncio.sleep(1)
        assert queues() == before
