"""What `listen` means beside what `test_session` shows: remembered starts, buttons, formats."""

from __future__ import annotations

import asyncio

import pytest

from lumi.audio.format import AudioFormat
from lumi.testing.engines import ScriptedLlm
from lumi.testing.rehearsal import Rehearsal, packets_of, spoken
from lumi.testing.sounds import silence, tone

STORY = "Once upon a time there was a fox. It lived in a forest. One day it went to town."


def house(**parts: object) -> Rehearsal:
    return Rehearsal(llm=ScriptedLlm({"story": STORY}), **parts)  # type: ignore[arg-type]


async def test_without_a_mode_the_last_one_counts() -> None:
    async with house() as here, here.device() as device:
        await device.hello()
        await device.listen("start", mode="manual")
        await device.listen("stop")
        await device.listen("start")
        await device.play(spoken(600, then_silent_ms=3000))
        await device.quiet(0.1)  # in manual mode silence ends nothing
        await device.listen("stop")
        await device.expect("stt")


async def test_a_stop_forgets_the_start_that_was_remembered() -> None:
    async with house() as here, here.device() as device:
        await device.hello()
        await device.detect("story")
        await device.expect("tts", state="sentence_start")
        await device.listen("start", mode="auto")
        await device.listen("stop")
        await device.expect("tts", state="stop", timeout_s=60)
        await device.play(spoken(600, then_silent_ms=900))
        await device.quiet(5)


async def test_a_notice_waits_while_the_button_is_held() -> None:
    async with house() as here, here.device() as device:
        hello = await device.hello()
        session = here.sessions.get(hello["session_id"])
        assert session is not None
        await device.listen("start", mode="manual")
        await asyncio.sleep(0.1)
        assert await session.push("Your tea is ready.", kind="timer", notice_id="t", due_at=0)
        await device.quiet(5)
        await device.listen("stop")
        assert (await device.spoken_turn()).sentences == ["Your tea is ready."]


async def test_a_notice_waits_for_the_turn_that_is_being_spoken_by_the_user() -> None:
    async with house() as here, here.device() as device:
        hello = await device.hello()
        session = here.sessions.get(hello["session_id"])
        assert session is not None
        await device.listen("start", mode="auto")
        await device.play(spoken(600))
        assert await session.push("Your tea is ready.", kind="timer", notice_id="t", due_at=0)
        await device.play(spoken(0, then_silent_ms=900))
        await device.expect("stt")
        await device.expect("tts", state="stop")
        assert (await device.spoken_turn()).sentences == ["Your tea is ready."]


async def test_an_abort_while_listening_lets_a_notice_speak() -> None:
    async with house() as here, here.device() as device:
        hello = await device.hello()
        session = here.sessions.get(hello["session_id"])
        assert session is not None
        await device.listen("start", mode="manual")
        await device.play(spoken(300))
        assert await session.push("Ding.", kind="timer", notice_id="t", due_at=0)
        await device.abort()
        assert (await device.spoken_turn()).sentences == ["Ding."]


async def test_an_abort_in_realtime_listens_on() -> None:
    async with house() as here, here.device() as device:
        await device.hello()
        await device.listen("start", mode="realtime")
        await device.play(spoken(600, then_silent_ms=200))
        await device.abort()
        await device.play(spoken(0, then_silent_ms=900))
        await device.quiet(1)
        await device.play(spoken(600, then_silent_ms=900))
        await device.expect("stt")


async def test_speech_just_before_the_answer_ends_becomes_the_next_utterance() -> None:
    async with Rehearsal(llm=ScriptedLlm(lambda _: "Yes.")) as here, here.device() as device:
        await device.hello()
        await device.listen("start", mode="realtime")
        await device.detect("hello")
        await device.expect("tts", state="sentence_start")
        await asyncio.sleep(0.42)  # 'Yes.' lasts 240 ms, the margin 400
        await device.play(spoken(600, then_silent_ms=900))
        assert (await device.expect("stt", text="what time is it"))["is_final"]


async def test_a_client_that_goes_mute_in_a_cough_does_not_silence_the_answer() -> None:
    async with house() as here, here.device() as device:
        await device.hello()
        await device.listen("start", mode="realtime")
        await device.detect("story")
        await device.expect("tts", state="sentence_start")
        await device.play(spoken(200))  # and nothing more
        turn = await device.spoken_turn(timeout_s=60)
        assert turn.sentences[-1] == "One day it went to town."


async def test_a_realtime_start_during_the_answer_opens_the_microphone() -> None:
    async with house() as here, here.device() as device:
        await device.hello()
        await device.detect("story")
        await device.expect("tts", state="sentence_start")
        await device.listen("start", mode="realtime")
        await device.play(spoken(900, then_silent_ms=900))
        await device.expect("tts", state="stop", timeout_s=0.1)
        await device.expect("stt", text="what time is it")


@pytest.mark.parametrize(
    "params",
    [
        {"format": "pcm", "sample_rate": 16000, "channels": 1, "frame_duration": 20},
        {"format": "opus", "sample_rate": 48000, "channels": 1, "frame_duration": 20},
    ],
)
async def test_a_later_hello_may_change_the_format_while_nothing_goes_on(params: dict[str, object]) -> None:
    async with house() as here, here.device() as device:
        await device.hello()
        assert (await device.hello(audio_params=params))["audio_params"] == params
        await device.listen("start", mode="manual")
        rate = int(str(params["sample_rate"]))
        pcm = tone(600, rate) + silence(100, rate)
        if params["format"] == "pcm":
            packets = [pcm[start : start + rate // 25] for start in range(0, len(pcm), rate // 25)]
        else:
            packets = packets_of(pcm, AudioFormat(sample_rate_hz=rate, frame_ms=20))
        await device.play(packets, frame_ms=20)
        await device.listen("stop")
        assert (await device.expect("stt"))["text"] == "what time is it"


async def test_sound_that_nobody_listens_to_is_counted() -> None:
    async with house() as here, here.device() as device:
        hello = await device.hello()
        session = here.sessions.get(hello["session_id"])
        await device.play(spoken(600))
        await asyncio.sleep(0.1)
        assert session.dropped_frames == 10  # type: ignore[union-attr]


async def test_a_listen_may_have_a_format_of_its_own() -> None:
    pcm = {"format": "pcm", "sample_rate": 16000, "channels": 1, "frame_duration": 20}
    async with house() as here, here.device() as device:
        await device.hello()
        await device.listen("start", mode="manual", audio_params=pcm)
        sound = tone(600)
        await device.play([sound[start : start + 640] for start in range(0, len(sound), 640)], frame_ms=20)
        await device.listen("stop")
        assert (await device.expect("stt"))["text"] == "what time is it"
        await device.listen("start", mode="manual", id="x1", audio_params=pcm | {"format": "mp3"})
        error = await device.expect("error")
        assert (error["error_code"], error["id"]) == ("unsupported_audio", "x1")


async def test_a_later_hello_leaves_alone_what_is_being_heard_in_a_format_of_its_own() -> None:
    pcm = {"format": "pcm", "sample_rate": 16000, "channels": 1, "frame_duration": 20}
    async with house() as here, here.device() as device:
        await device.hello()
        await device.listen("start", mode="manual", audio_params=pcm)
        sound = tone(600)
        packets = [sound[start : start + 640] for start in range(0, len(sound), 640)]
        await device.play(packets[:15], frame_ms=20)
        await device.hello(features={"mcp": True})
        await device.play(packets[15:], frame_ms=20)
        await device.listen("stop")
        assert (await device.expect("stt"))["text"] == "what time is it"
