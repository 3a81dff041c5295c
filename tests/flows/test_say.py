"""`client.ask` and `lumi say` against the real server over a real socket; the engines are scripted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.commands.screen import Screen
from tests.flows.scripted import answering, scripted_lumi

from lumi.audio.format import AudioFormat, Codec
from lumi.audio.wav import read_wav, write_wav
from lumi.client.client import connect
from lumi.client.events import Audio
from lumi.commands.console import Console
from lumi.commands.say import SayOptions, say
from lumi.protocol.messages import Stt, Tts, TtsState
from lumi.testing import ScriptedStt, ScriptedTts, tone

pytestmark = pytest.mark.real

TEXT = "It is noon. Time to eat."


@pytest.fixture
def screen(capsys: pytest.CaptureFixture[str]) -> Screen:
    return Screen(capsys)


@pytest.mark.parametrize(
    "audio", [AudioFormat(), AudioFormat(Codec.PCM), AudioFormat(Codec.OPUS, 24_000, 1, 20)]
)
async def test_a_question_is_heard_answered_and_spoken(audio: AudioFormat):
    stt = ScriptedStt(["what time is it"])
    async with (
        scripted_lumi(stt=stt, llm=answering(TEXT)) as server,
        connect(server.url, device_id="me", audio=audio) as client,
    ):
        reply = await client.ask(tone(900, 22_050), rate_hz=22_050)
    assert reply.transcript == "what time is it"
    assert reply.text == "It is noon. Time to eat."
    assert reply.rate_hz == audio.sample_rate_hz
    assert reply.audio_s > 0.3
    assert reply.first_audio_ms is not None
    assert 0 < reply.first_audio_ms < 3000
    (heard,) = stt.heard
    assert len(heard) / 32_000 == pytest.approx(0.9, abs=0.15)


async def test_in_auto_mode_the_server_hears_the_end():
    async with scripted_lumi(llm=answering(TEXT)) as server, connect(server.url, device_id="me") as client:
        with client.events() as events:
            listen_id = await client.listen_start("auto")
            await client.send_pcm(tone(600), 16_000)
            await client.send_pcm(bytes(32_000), 16_000)
            story = []
            async for event in events:
                story.append(event)
                if isinstance(event, Tts) and event.state is TtsState.STOP:
                    break
    stt = next(event for event in story if isinstance(event, Stt))
    assert (stt.text, stt.id) == ("what time is it", listen_id)
    assert any(isinstance(event, Audio) for event in story)


async def test_abort_ends_the_speech_with_its_one_stop():
    long = ScriptedTts()
    async with (
        scripted_lumi(llm=answering("word " * 200 + "."), tts=long) as server,
        connect(server.url, device_id="me") as client,
    ):
        with client.events() as events:
            await client.detect("tell me a story")
            async for event in events:
                if isinstance(event, Audio):
                    break
            await client.abort("user_interrupt")
            rest = []
            async with asyncio.timeout(2):
                async for event in events:
                    rest.append(event)
                    if isinstance(event, Tts) and event.state is TtsState.STOP:
                        break
        assert (await client.chat("still there?")).content


async def test_the_command_writes_the_answer(screen: Screen, tmp_path: Path):
    question, answer = tmp_path / "question.wav", tmp_path / "answer.wav"
    write_wav(question, tone(600), 16_000)
    async with scripted_lumi(llm=answering(TEXT)) as server:
        options = SayOptions(question, answer, server.url)
        assert await say(Console("en", as_json=True), options) == 0
    told = screen.object()
    assert told["transcript"] == "what time is it"
    assert told["reply"] == "It is noon. Time to eat."
    assert set(told) == {"transcript", "confidence", "reply", "first_audio_ms", "audio_s", "out"}
    assert told["out"] == str(answer)
    assert read_wav(answer).duration_s == pytest.approx(told["audio_s"], abs=0.001)
