"""Engines that count, and a device that has had its time: over a whole server in memory, in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from lumi.engines.base import ChatMessage, Prompt, Speaker, Transcript, Voice
from lumi.errors import EngineError
from lumi.server.engine_time import HOUR_S, EngineTime
from lumi.server.kit import Kit
from lumi.server.metered import Metering
from lumi.testing.device import FakeDevice
from lumi.testing.engines import ScriptedDuplex, ScriptedLlm, ScriptedStt, ScriptedTts
from lumi.testing.rehearsal import Rehearsal, spoken
from lumi.transport.base import LinkInfo

PROMPT = Prompt((ChatMessage("user", "hi"),), Speaker())
SORRY = "Sorry, this device has talked enough for this hour. Please try again in 60 minutes."


class Household:
    """What is counted, and turns that were refused."""

    def __init__(self, minutes: float = 0.0) -> None:
        self.used: Counter[str] = Counter()
        self.refused = 0
        self.time = EngineTime(minutes)
        self.metering = Metering(self.time, self._count, self._refuse)

    def _count(self, kind: str, seconds: float) -> None:
        self.used[kind] += seconds  # type: ignore[assignment]

    def _refuse(self) -> None:
        self.refused += 1

    def kit(self, **engines: Any) -> Kit:
        made: dict[str, Any] = {"stt": ScriptedStt(), "llm": ScriptedLlm(), "tts": ScriptedTts()} | engines
        return self.metering.handed(Kit(**made), "dev")


async def test_a_model_counts_while_it_is_waited_for_and_not_while_its_reader_is_slow():
    house = Household()
    llm = house.kit(llm=ScriptedLlm({"hi": "one two"}, delay_s=2.0, piece_s=0.5)).llm
    async for _ in llm.reply(PROMPT):
        await asyncio.sleep(100)
    assert house.used == {"llm": pytest.approx(3.0)}


async def test_a_model_that_is_not_heard_to_its_end_counts_too():
    house = Household()
    llm = house.kit(llm=ScriptedLlm({"hi": [1.0, "one", 1.0, "two"]})).llm
    async with aclosing(llm.reply(PROMPT)) as events:  # type: ignore[type-var]
        async for _ in events:
            break
    assert house.used == {"llm": pytest.approx(1.0)}
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await anext(llm.reply(PROMPT))
    assert house.used == {"llm": pytest.approx(1.5)}


async def test_a_recogniser_does_not_count_the_time_that_the_speaker_takes():
    async def sound() -> AsyncIterator[bytes]:
        for _ in range(10):
            await asyncio.sleep(0.5)
            yield b"\x10\x10" * 800

    house = Household()
    stt = house.kit(stt=ScriptedStt(["one two three"], partials=True, delay_s=0.7)).stt
    heard = [one.text async for one in stt.transcribe(sound(), Speaker())]
    assert heard[-1] == "one two three"
    assert house.used == {"stt": pytest.approx(0.7)}


class Ahead:
    """A recogniser that reads in a task of its own."""

    name = "ahead"

    async def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        async def read() -> None:
            async for _ in audio:
                pass

        reading = asyncio.create_task(read())
        await asyncio.sleep(1.0)
        yield Transcript("so far", is_final=False)
        await reading
        await asyncio.sleep(0.5)
        yield Transcript("all")

    async def aclose(self) -> None:
        """Holds nothing."""


async def test_nor_where_the_sound_is_read_beside_it():
    async def sound() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(1.5)
            yield bytes(2)

    house = Household()
    async for _ in house.kit(stt=Ahead()).stt.transcribe(sound(), Speaker()):
        pass
    assert house.used == {"stt": pytest.approx(0.5)}


async def test_a_voice_and_a_realtime_model_count_and_say_of_themselves_what_they_are():
    house = Household()
    tts, duplex = ScriptedTts(), ScriptedDuplex(())
    kit = house.kit(tts=tts, duplex=duplex)
    assert (kit.tts.sample_rate_hz, kit.tts.name) == (tts.sample_rate_hz, tts.name)
    assert kit.duplex is not None
    assert (kit.duplex.sample_rate_hz, kit.duplex.name) == (duplex.sample_rate_hz, duplex.name)
    with pytest.raises(AttributeError):
        _ = kit.llm.no_such_thing  # type: ignore[attr-defined]
    assert [pcm async for pcm in kit.tts.synthesize("Hello.", Voice())]
    assert set(house.used) == {"tts"}
    await kit.tts.aclose()
    assert not tts.closed, "it is not the turn's to close"


async def test_a_failure_counts_and_is_passed_on():
    house = Household()
    llm = house.kit(llm=ScriptedLlm({"hi": [3.0, EngineError("x", "broke")]})).llm
    with pytest.raises(EngineError, match="broke"):
        await anext(llm.reply(PROMPT))
    assert house.used == {"llm": pytest.approx(3.0)}


def talkative(house: Household, **parts: Any) -> Rehearsal:
    """Every answer costs its model two minutes."""
    pieces = [piece for letter in "Done. " for piece in (20.0, letter)]
    slow = ScriptedLlm({"quick": "Yes."} | {f"long {number}": pieces for number in range(3)})
    return Rehearsal(llm=slow, metering=house.metering, **parts)


async def slowly(device: FakeDevice, content: str, **fields: Any) -> Any:
    """A chat whose answer takes its time."""
    chat_id = await device.send_chat(content, **fields)
    return await device.expect("response", id=chat_id, is_final=True, timeout_s=300)


async def test_a_chat_beyond_the_hours_share_is_refused_by_name_and_answered_once_there_is_more():
    house = Household(minutes=3.0)
    async with talkative(house) as lumi, lumi.device() as device:
        await device.hello()
        for number in range(2):
            assert (await slowly(device, f"long {number}"))["content"] == "Done. "
        before = asyncio.get_running_loop().time()
        known = await device.send_chat("quick", id="again")
        error = await device.expect("error", id=known)
        assert (error["error_code"], error["retryable"]) == ("rate_limited", True)
        assert error["error_message"].startswith("Sorry, this device has talked enough for this hour.")
        assert 3300 < error["retry_after"] <= HOUR_S
        assert house.refused == 1
        await asyncio.sleep(error["retry_after"])
        assert asyncio.get_running_loop().time() > before
        assert (await device.chat("quick", id="again"))["content"] == "Yes.", (
            "nothing was kept of the refusal"
        )


async def test_what_was_answered_already_is_answered_again():
    house = Household(minutes=1.0)
    async with talkative(house) as lumi, lumi.device() as device:
        await device.hello()
        assert (await slowly(device, "long 1", id="mine"))["content"] == "Done. "
        assert (await device.chat("long 1", id="mine"))["content"] == "Done. "
        assert house.refused == 0


async def test_a_board_is_told_aloud_and_not_at_every_noise_and_goes_on_afterwards():
    house = Household(minutes=1.0)
    async with talkative(house) as lumi, lumi.device(dialect="xiaozhi") as board:
        await board.hello()
        await board.detect("long 1")
        assert (await board.spoken_turn(timeout_s=200)).sentences == ["Done."]
        await board.detect("quick")
        turn = await board.spoken_turn()
        assert turn.sentences == [SORRY]
        assert turn.packets
        await board.detect("quick")
        quiet = await board.spoken_turn()
        assert (quiet.sentences, quiet.packets) == ([], [])
        assert "error" not in board.types
        await asyncio.sleep(60)
        await board.detect("quick")
        assert (await board.spoken_turn()).sentences
        await asyncio.sleep(HOUR_S)
        await board.detect("quick")
        assert (await board.spoken_turn()).sentences == ["Yes."]
        assert board.types.count("tts start") == board.types.count("tts stop") == 5


async def test_a_speaker_is_let_finish_and_told_by_name_and_aloud():
    house = Household(minutes=1.0)
    stt = ScriptedStt(["quick"])
    async with talkative(house, stt=stt) as lumi, lumi.device() as device:
        await device.hello()
        await slowly(device, "long 1")
        await device.listen("start", mode="manual", id="l")
        await device.play(spoken(600))
        assert "error" not in device.types, "not before the speaker has finished"
        await device.listen("stop")
        error = await device.expect("error")
        assert (error["error_code"], error["id"]) == ("rate_limited", "l")
        assert (await device.spoken_turn()).sentences[0].startswith("Sorry, this device has talked enough")
        assert stt.calls == 0
        assert device.types.count("tts stop") == 1


async def test_another_device_is_none_the_worse_and_notices_are_still_spoken():
    house = Household(minutes=1.0)
    async with talkative(house) as lumi, lumi.device(LinkInfo(headers={"device-id": "a"})) as device:
        await device.hello()
        await slowly(device, "long 1")
        (session,) = lumi.sessions.of_device("a")
        assert await session.push("Dinner is ready.", kind="push", notice_id="1", due_at=0.0)
        assert (await device.spoken_turn()).sentences == ["Dinner is ready."]
        async with lumi.device(LinkInfo(headers={"device-id": "b"})) as other:
            await other.hello()
            assert (await other.chat("quick"))["content"] == "Yes."
        assert house.refused == 0
