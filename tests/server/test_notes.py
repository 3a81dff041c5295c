"""Voice notes: recorded without a line, sent at once, answered in writing, once."""

from __future__ import annotations

from typing import Any

from lumi.engines.base import ChatMessage
from lumi.errors import EngineError
from lumi.server.kit import SessionSettings
from lumi.testing.device import FakeDevice
from lumi.testing.engines import ScriptedLlm, ScriptedStt
from lumi.testing.rehearsal import Rehearsal, packets_of, spoken
from lumi.testing.sounds import silence, tone
from lumi.voice.endpointing import EndpointingSettings


async def send_note(device: FakeDevice, note_id: str, packets: list[bytes], **fields: Any) -> None:
    await device.listen("start", mode="manual", id=note_id, note=True, **fields)
    await device.play(packets, frame_ms=0)
    await device.listen("stop")


async def test_a_note_is_transcribed_and_answered_in_writing() -> None:
    stt, llm = ScriptedStt(["buy milk"]), ScriptedLlm()
    async with Rehearsal(stt=stt, llm=llm) as house, house.device() as device:
        await device.hello(features={"resume": True})
        await send_note(device, "n1", spoken(12_000))
        heard = await device.expect("stt")
        assert (heard["id"], heard["text"], heard["seq"]) == ("n1", "buy milk", 1)
        response = await device.expect("response")
        assert (response["id"], response["content"], response["seq"]) == (
            "n1",
            "You said: buy milk. That is all.",
            2,
        )
        await device.quiet(5)
        assert len(stt.heard[0]) == 12_000 * 32  # all of it, though it came at once
        await device.chat("and then")
    assert ChatMessage("user", "buy milk") in llm.prompts[-1].messages


async def test_the_same_note_is_answered_the_same_and_heard_once() -> None:
    stt = ScriptedStt(["buy milk"])
    async with Rehearsal(stt=stt) as house:
        for _ in range(2):
            async with house.device() as device:
                await device.hello()
                await send_note(device, "n1", spoken(600))
                assert (await device.expect("stt"))["text"] == "buy milk"
                assert (await device.expect("response"))["id"] == "n1"
    assert stt.calls == 1


async def test_a_note_may_have_a_format_of_its_own() -> None:
    params = {"format": "pcm", "sample_rate": 16000, "channels": 1, "frame_duration": 20}
    pcm = tone(600) + silence(60)
    async with Rehearsal() as house, house.device() as device:
        await device.hello()
        packets = [pcm[start : start + 640] for start in range(0, len(pcm), 640)]
        await send_note(device, "n1", packets, audio_params=params)
        assert (await device.expect("stt"))["text"] == "what time is it"


async def test_a_note_in_a_format_nobody_serves_is_refused() -> None:
    params = {"format": "mp3", "sample_rate": 16000, "channels": 1, "frame_duration": 20}
    async with Rehearsal() as house, house.device() as device:
        await device.hello()
        await device.listen("start", id="n1", note=True, audio_params=params)
        error = await device.expect("error")
        assert (error["error_code"], error["id"]) == ("unsupported_audio", "n1")


async def test_a_note_that_is_too_long_is_refused_not_cut() -> None:
    settings = SessionSettings(endpoint=EndpointingSettings(max_utterance_ms=3_000))
    async with Rehearsal(settings=settings) as house, house.device() as device:
        await device.hello()
        await send_note(device, "n1", packets_of(tone(4_000)))
        error = await device.expect("error")
        assert (error["error_code"], error["id"], error["retryable"]) == ("too_large", "n1", False)
        assert "up to 3 s" in error["error_message"]


async def test_a_silent_note_is_said_not_to_be_understood() -> None:
    async with Rehearsal() as house, house.device() as device:
        await device.hello()
        await send_note(device, "n1", packets_of(silence(900)))
        assert (await device.expect("stt"))["text"] == ""
        assert (await device.expect("response"))["content"] == "Sorry, I didn't catch that."


async def test_a_note_that_cannot_be_heard_may_be_sent_again() -> None:
    stt = ScriptedStt([EngineError("scripted", "it broke"), "buy milk"])
    async with Rehearsal(stt=stt) as house, house.device() as device:
        await device.hello()
        await send_note(device, "n1", spoken(600))
        error = await device.expect("error")
        assert (error["error_code"], error["id"], error["retryable"]) == ("stt_failed", "n1", True)
        await send_note(device, "n1", spoken(600))
        assert (await device.expect("stt"))["text"] == "buy milk"


async def test_a_note_cut_off_is_dropped() -> None:
    stt = ScriptedStt()
    async with Rehearsal(stt=stt) as house:
        async with house.device() as device:
            await device.hello(features={"resume": True})
            await device.listen("start", id="n1", note=True)
            await device.play(spoken(600), frame_ms=0)
        async with house.device() as device:
            await device.hello()
            await device.listen("start", id="n2", note=True)
            await device.listen("start", mode="manual")
            await device.play(spoken(600))
            await device.listen("stop")
            await device.expect("stt")
            await device.spoken_turn()
    assert stt.calls == 1


async def test_an_abort_drops_the_note_that_is_being_said() -> None:
    stt = ScriptedStt(["buy milk"])
    async with Rehearsal(stt=stt) as house, house.device() as device:
        await device.hello()
        await device.listen("start", mode="manual", id="n1", note=True)
        await device.play(spoken(600), frame_ms=0)
        await device.abort()
        await device.listen("stop")
        await device.quiet(5)
        await send_note(device, "n2", spoken(600))
        assert (await device.expect("stt"))["id"] == "n2"
    assert stt.calls == 1
