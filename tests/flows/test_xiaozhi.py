"""What the xiaozhi dialect promises beyond the replays: clients that leave things out, mix things up, or fail."""

from __future__ import annotations

from typing import Any

import pytest

from lumi.errors import EngineError
from lumi.testing.device import FakeDevice
from lumi.testing.engines import ScriptedLlm, ScriptedStt
from lumi.testing.rehearsal import Rehearsal, packets_of, spoken
from lumi.testing.replay import ANSWERS
from lumi.testing.sounds import silence

NOON = ["It is noon.", "Time to eat."]


def house(**engines: Any) -> Rehearsal:
    return Rehearsal(**({"llm": ScriptedLlm(ANSWERS)} | engines))


@pytest.mark.parametrize(
    "left_out",
    [("version",), ("transport",), ("audio_params",), ("version", "transport", "audio_params")],
)
async def test_a_hello_may_say_next_to_nothing(left_out: tuple[str, ...]) -> None:
    async with house() as lumi, lumi.device(dialect="xiaozhi") as device:
        answer = await device.hello(**dict.fromkeys(left_out))
        assert set(answer) == {"type", "version", "transport", "session_id", "server_info", "audio_params"}
        await device.detect("what time is it")
        assert (await device.spoken_turn()).sentences == NOON


async def test_what_comes_at_once_with_the_hello_is_answered() -> None:
    async with house() as lumi, lumi.device(dialect="xiaozhi") as device:
        await device.send("hello")
        await device.send("listen", state="detect", text="what time is it")
        assert (await device.spoken_turn()).sentences == NOON


@pytest.mark.parametrize("claimed", ["", "another-session", None])
async def test_what_a_message_says_of_its_session_is_not_believed(claimed: str | None) -> None:
    async with (
        house() as lumi,
        lumi.device(dialect="xiaozhi") as other,
        lumi.device(dialect="xiaozhi") as device,
    ):
        theirs = (await other.hello())["session_id"]
        ours = (await device.hello())["session_id"]
        device.session_id = theirs if claimed == "another-session" else claimed
        await device.detect("what time is it")
        turn = await device.spoken_turn()
        assert {message["session_id"] for message in turn.messages} == {ours}
        assert other.types == ["hello"]


async def test_an_abort_and_a_question_back_to_back() -> None:
    async with house() as lumi, lumi.device(dialect="xiaozhi") as device:
        await device.hello()
        await device.detect("what time is it")
        await device.expect("tts", state="sentence_start")
        await device.abort("wake_word_detected")
        await device.detect("你好小智")
        await device.expect("tts", state="stop", timeout_s=0.1)
        assert (await device.spoken_turn()).sentences == ["Hello.", "What can I do?"]
        assert device.types.count("tts stop") == device.types.count("tts start") == 2


async def test_a_turn_that_failed_is_said_aloud_and_not_printed() -> None:
    failing = ScriptedLlm(lambda _: [EngineError("scripted", "it broke", retryable=False)])
    async with house(llm=failing) as lumi, lumi.device(dialect="xiaozhi") as device:
        await device.hello()
        await device.detect("what time is it")
        turn = await device.spoken_turn()
        assert turn.sentences
        assert turn.packets
        assert set(device.types) <= {"hello", "stt", "llm", "tts start", "tts sentence_start", "tts stop"}


async def test_a_message_that_makes_no_sense_is_named_and_costs_nothing_else() -> None:
    async with house() as lumi, lumi.device(dialect="xiaozhi") as device:
        await device.hello()
        await device.send("sing")
        assert (await device.expect("error"))["error_code"] == "unknown_type"
        await device.send("listen", state="shout")
        error = await device.expect("error")
        assert error["error_code"] == "bad_message"
        assert "state" in error["error_message"]
        await device.detect("what time is it")
        assert (await device.spoken_turn()).sentences == NOON


async def test_the_form_of_an_answer_follows_the_request() -> None:
    async with house() as lumi, lumi.device(dialect="xiaozhi") as device:
        await device.hello()
        response = await device.chat("what time is it")
        assert response["content"] == "It is noon. Time to eat."
        await device.send("ping", timestamp=1)
        await device.expect("pong")
        assert device.types == ["hello", "response", "pong"]
        assert device.packets == []


async def _says_nothing(device: FakeDevice) -> None:
    await device.listen("start", mode="manual")
    await device.play(packets_of(silence(900)))
    await device.listen("stop")


async def _says_no_words(device: FakeDevice) -> None:
    await device.listen("start", mode="auto")
    await device.play(spoken(900, then_silent_ms=1200))


@pytest.mark.parametrize("says", [_says_nothing, _says_no_words])
async def test_what_holds_no_words_is_echoed_empty_and_the_turn_ends_once(says: Any) -> None:
    async with (
        house(stt=ScriptedStt([""])) as lumi,
        lumi.device(dialect="xiaozhi") as device,
    ):
        await device.hello()
        await says(device)
        assert (await device.expect("stt"))["text"] == ""
        await device.spoken_turn()
        await device.quiet(5)
        assert device.types.count("tts start") == device.types.count("tts stop") == 1


async def test_an_empty_frame_ends_what_is_said() -> None:
    async with house() as lumi, lumi.device(dialect="xiaozhi") as device:
        await device.hello()
        await device.listen("start", mode="auto")
        await device.play(spoken(600))
        await device.play([b""])
        assert (await device.spoken_turn()).sentences == NOON


async def test_a_start_and_a_stop_with_nothing_between_are_nothing() -> None:
    async with house() as lumi, lumi.device(dialect="xiaozhi") as device:
        await device.hello()
        await device.listen("start", mode="manual")
        await device.listen("stop")
        await device.listen("stop")
        await device.abort()
        await device.quiet(5)
