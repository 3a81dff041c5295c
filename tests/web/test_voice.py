"""Spoken words in a real browser: from its microphone to a real server, and back to what its audio thread really plays."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page
from tests.flows.scripted import CONFIG, answering, scripted_lumi
from tests.web.browsing import ELSEWHERE, IN_BROWSER, Watch
from tests.web.sdk import BLANK, connect, new_client, told, until, until_told

from lumi.engines.base import Voice
from lumi.engines.espeak import EspeakTts
from lumi.server.server import Server
from lumi.testing import ScriptedLlm, ScriptedStt, ScriptedTts, silence, tone
from lumi.testing.sounds import loudness

pytestmark = IN_BROWSER

LONG = "This answer is so long that nobody wants to hear all of it, not even here. " * 4

OPEN_VOICE = """async (audioParams) => {
  const { Voice } = await import("/sdk/audio/voice.js");
  const voice = new Voice(client);
  const heard = [];
  for (const name of ["listening", "playing", "subtitle", "level", "unavailable"])
    voice.addEventListener(name, ({ detail }) => heard.push([name, detail, performance.now()]));
  Object.assign(window, { voice, heard });
}"""

FRAMES = """() => {
  const send = WebSocket.prototype.send;
  window.sent = [];
  WebSocket.prototype.send = function (data) { sent.push(data); window.socket = this; return send.call(this, data); };
}"""


async def open_voice(page: Page, **options: Any) -> None:
    await connect(page, **options)
    await page.evaluate(OPEN_VOICE)


async def heard(page: Page, name: str) -> list[dict[str, Any]]:
    """What the voice's events of this name said."""
    details: list[dict[str, Any]] = await page.evaluate(
        "(name) => heard.filter(([one]) => one === name).map(([, detail]) => detail)", name
    )
    return details


async def until_silent(page: Page, turns: int = 1) -> None:
    """Wait until so many turns have been played."""
    await until(
        page, f"heard.filter(([name, d]) => name === 'playing' && !d.playing).length >= {turns}", timeout_s=20
    )


async def said_by(text: str) -> tuple[bytes, int]:
    """Somebody says it: the built-in voice."""
    voice = EspeakTts()
    await voice.start()
    try:
        pcm = b"".join([piece async for piece in voice.synthesize(text, Voice(language="en"))])
    finally:
        await voice.aclose()
    return pcm, voice.sample_rate_hz


@pytest.mark.real(timeout_s=90)
async def test_a_command_said_aloud_is_understood_and_its_answer_played(visit, microphone) -> None:
    """With the engines that come with Lumi, hands-free: it finds the end of the sentence by itself."""
    pcm, rate_hz = await said_by("what time is it")
    async with Server(CONFIG) as server, visit(server.page_url, BLANK) as page:
        await server.wait_ready()
        await open_voice(page)
        microphone.says(silence(300, rate_hz) + pcm, rate_hz)
        await page.evaluate("voice.handsFree('auto')")
        await until(page, "told.some(([name, detail]) => name === 'stt' && detail.is_final)")
        stt = (await told(page, "stt"))[-1]
        await until(page, "voice.report?.squares > 0")
        subtitle = (await heard(page, "subtitle"))[0]
        assert stt["text"] == "what time is it"
        assert "it" in subtitle["text"].lower()
        await until_silent(page)
        played_s = await page.evaluate("voice.report.played") / 48_000
        loud = [one for one in await heard(page, "level") if one["side"] == "output" and one["level"] > 0.3]
        assert played_s > 0.8
        assert len(loud) > 10
        assert await page.evaluate("voice.listening") == "auto"
        await page.evaluate("voice.handsFree(false)")


@pytest.mark.parametrize("codec", ["opus", "pcm"])
async def test_holding_a_button_sends_what_is_said_and_plays_the_answer(visit, microphone, codec) -> None:
    stt, tts = ScriptedStt(), ScriptedTts()
    async with (
        scripted_lumi(stt=stt, tts=tts, llm=answering("It is noon. Time to eat.")) as server,
        visit(server.page_url, BLANK) as page,
    ):
        await page.evaluate(FRAMES)
        params = {"format": codec, "sample_rate": 16_000, "channels": 1, "frame_duration": 60}
        await open_voice(page, audioParams=params)
        assert await page.evaluate("client.agreement.downlink") == params
        microphone.says(tone(1500), 16_000)
        await page.evaluate("voice.holdToTalk.down()")
        await asyncio.sleep(0.6)
        await page.evaluate("voice.holdToTalk.up()")
        await until_silent(page)

        (utterance,) = stt.heard
        assert 0.5 < len(utterance) / 32_000 < 3.0
        assert loudness(utterance) > 500
        sizes = await page.evaluate(
            "sent.filter((data) => typeof data !== 'string').map((data) => data.length)"
        )
        assert len(sizes) * 0.06 == pytest.approx(len(utterance) / 32_000, abs=0.13)
        assert set(sizes) == {1920} if codec == "pcm" else max(sizes) < 400

        speech_s = 0.06 * sum(map(len, tts.spoken))
        report = await page.evaluate("voice.report")
        assert report["played"] / 48_000 == pytest.approx(speech_s, abs=0.2)
        assert report["stats"] | {"underruns": 0} == {"underruns": 0, "dropped": 0, "skipped": 0, "stale": 0}
        levels = [one for one in await heard(page, "level") if one["side"] == "output" and one["level"] > 0.5]
        assert len(levels) > 20
        assert all(len(one["wave"]) == 32 for one in levels)
        assert [one["text"] for one in await heard(page, "subtitle")] == ["It is noon.", "Time to eat."]
        first, second = await page.evaluate(
            "heard.filter(([name]) => name === 'subtitle').map(([, , at]) => at)"
        )
        assert (second - first) / 1000 == pytest.approx(0.06 * len("It is noon."), abs=0.3)
        told_played = [
            message
            for message in await page.evaluate(
                "sent.filter((data) => typeof data === 'string').map(JSON.parse)"
            )
            if message["type"] == "played"
        ]
        assert [message["final"] for message in told_played] == [False] * (len(told_played) - 1) + [True]
        assert len(told_played) >= 4
        positions = [message["ms"] for message in told_played]
        assert positions == sorted(positions)
        assert positions[-1] / 1000 == pytest.approx(speech_s, abs=0.2)


async def test_speaking_into_the_answer_ends_it_at_once(visit, microphone) -> None:
    async with scripted_lumi(llm=answering(LONG, "Yes.")) as server, visit(server.page_url, BLANK) as page:
        await open_voice(page)
        microphone.says(tone(700) + silence(2200) + tone(1500), 16_000)
        await page.evaluate("voice.handsFree(true)")
        await until(page, "voice.report?.passedMs > 300")
        assert await page.evaluate("voice.speaking")
        await until(page, "told.filter(([name, d]) => name === 'tts' && d.state === 'stop').length >= 1")
        await asyncio.sleep(0.1)
        report = await page.evaluate("voice.report")
        assert (report["turn"], report["waitingMs"]) == (None, 0)
        assert [one["playing"] for one in await heard(page, "playing")] == [True, False]
        played_s = report["played"] / 48_000
        assert 0.3 < played_s < 5.0 < 0.06 * len(LONG)
        await until_silent(page, 2)
        assert [one["text"] for one in await heard(page, "subtitle")][-1] == "Yes."
        await page.evaluate("voice.handsFree(false)")
        assert (await heard(page, "listening"))[-1] == {"mode": None}


async def test_a_click_ends_the_answer_here_and_at_the_server(visit) -> None:
    llm = ScriptedLlm(lambda _: LONG)
    async with scripted_lumi(llm=llm) as server, visit(server.page_url, BLANK) as page:
        await open_voice(page)
        await page.evaluate("client.detect('tell me a story')")
        await until(page, "voice.report?.passedMs > 200")
        await page.evaluate("voice.stop()")
        await until(page, "voice.report.turn === null && voice.report.waitingMs === 0")
        await until_told(page, "tts", 3)
        assert not await page.evaluate("voice.speaking")
        played = await page.evaluate("voice.report.played")
        await asyncio.sleep(0.3)
        assert await page.evaluate("voice.report.played") == played


async def test_the_microphone_listens_on_after_the_line_was_lost(visit, microphone) -> None:
    stt = ScriptedStt()
    async with scripted_lumi(stt=stt) as server, visit(server.page_url, BLANK) as page:
        await page.evaluate(FRAMES)
        await open_voice(page)
        await page.evaluate("voice.handsFree('auto')")
        await page.evaluate("socket.close()")
        await until(page, "told.filter(([name]) => name === 'hello').length === 2")
        await page.evaluate("voice.handsFree(false)")
        microphone.says(silence(200) + tone(700), 16_000)
        await page.evaluate("voice.handsFree('auto')")
        await until_told(page, "stt")
        assert await page.evaluate("voice.listening") == "auto"


async def test_what_is_said_without_a_line_is_answered_when_there_is_one(visit, microphone) -> None:
    """The line breaks while the button is held: all that was said goes out later, once, and is answered in writing."""
    stt = ScriptedStt()
    async with scripted_lumi(stt=stt) as server, visit(server.page_url, BLANK) as page:
        await page.evaluate(FRAMES)
        await open_voice(page, reconnect={"firstS": 60})
        microphone.says(tone(2500), 16_000)
        await page.evaluate("voice.holdToTalk.down()")
        await asyncio.sleep(0.4)
        await page.evaluate("socket.close()")
        await asyncio.sleep(0.4)
        await page.evaluate("voice.holdToTalk.up()")
        (waiting,) = await page.evaluate("client.queue")
        assert (waiting["content"], waiting["note"], waiting["sent"]) == ("🎤 0:01", True, False)
        await page.evaluate("client.reconnectNow()")
        response = await until_told(page, "response")
        words = [one for one in await told(page, "stt") if one["is_final"]]
        assert [(one["id"], one["text"]) for one in words] == [(waiting["id"], "what time is it")]
        assert (response["id"], response["content"]) == (waiting["id"], "It is noon.")
        assert 0.7 < len(stt.heard[-1]) / 32_000 < 3.0
        assert loudness(stt.heard[-1]) > 500
        assert await page.evaluate("client.queue") == []


async def test_over_plain_http_from_elsewhere_there_is_no_microphone_and_the_page_is_told_why(visit) -> None:
    watch = Watch(allowed=["another host", "WebSocket connection"])
    async with scripted_lumi() as server, visit(server.page_url, None, watch=watch) as page:
        await page.goto(f"http://{ELSEWHERE}:{server.port}{BLANK}")
        await new_client(page)
        await page.evaluate(OPEN_VOICE)
        assert (
            await page.evaluate("import('/sdk/audio/voice.js').then(({ Voice }) => Voice.availability())")
            == "insecure"
        )
        await page.evaluate("voice.holdToTalk.down()")
        assert (await heard(page, "unavailable"))[0]["reason"] == "insecure"
        assert await page.evaluate("voice.listening") is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [("NotAllowedError", "denied"), ("NotFoundError", "no-device"), ("NotReadableError", "busy")],
)
async def test_what_the_browser_refuses_is_told_in_words_and_text_goes_on(visit, error, reason) -> None:
    async with scripted_lumi() as server, visit(server.page_url, BLANK) as page:
        await open_voice(page)
        await page.evaluate(
            "(name) => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', name)); }",
            error,
        )
        await page.evaluate("voice.holdToTalk.down()")
        await page.evaluate("voice.holdToTalk.up()")
        assert [one["reason"] for one in await heard(page, "unavailable")] == [reason]
        assert (await page.evaluate("client.chat('hello')"))["content"] == "It is noon."
