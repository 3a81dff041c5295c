"""A recording run again: the same where nothing has changed, and every change that a user would notice is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.flows.scripted import scripted_lumi
from tests.server.test_recorder import only, recorded

from lumi.engines.base import EmotionHint, Transcript
from lumi.server.gateway import GatewaySettings
from lumi.server.kit import SessionSettings
from lumi.store.recordings import (
    Agreed,
    Closed,
    FromClient,
    FromServer,
    Header,
    Line,
    Opened,
    Recording,
    SoundFormat,
)
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad
from lumi.testing.rehearsal import Rehearsal, spoken
from lumi.testing.rerun import differences, event, noticed, rerun, run_again, run_at
from lumi.testing.wire import V3
from lumi.transport.base import Link, LinkInfo

ANSWERS: dict[str, Any] = {
    "what time is it": "It is noon. Time to eat.",
    "tell me a story": [
        EmotionHint("happy"),
        0.3,
        "Once upon a time there was a fox. It ran. ",
        "It ate. The end.",
    ],
    "你好": "你好！有什么可以帮你？",
}
FOX = "Once upon a time there was a fox that ran through the woods all night."


async def conversation(folder: Path) -> Recording:
    """Two spoken turns, one of them cut off, typed words, a chat, a notice, and a second connection."""
    async with recorded(folder) as house:
        house.stt.script = ("what time is it", Transcript("tell me a story", 0.7))  # type: ignore[attr-defined]
        house.llm.answers = ANSWERS  # type: ignore[attr-defined]
        house.tts.delay_s = 0.2  # type: ignore[attr-defined]
        info = LinkInfo(headers={"protocol-version": "3"})
        async with house.device(info, framing=V3) as device:
            hello = await device.hello(features={"resume": True, "notify": True, "metrics": True})
            await say(device)
            await device.spoken_turn()
            await say(device)
            await device.expect("tts", state="sentence_start", text="It ran.")
            await device.abort()
            await device.expect("tts", state="stop")
            await device.detect("你好")
            await device.spoken_turn()
            await device.chat("good morning")
            await house.sessions.push("test-device", "Tea is ready.", kind="timer", notice_id="n", due_at=0.0)
            await device.spoken_turn()
        async with house.device(info, framing=V3) as device:
            resume = {"session_id": hello["session_id"], "received": 2}
            await device.hello(features={"resume": True}, resume=resume)
            await device.chat("good night")
    return only(folder)


async def say(device: Any) -> None:
    await device.listen("start", mode="manual")
    await device.play(spoken(600))
    await device.listen("stop")


def again(recording: Recording) -> list[str]:
    return run_again(recording, ScriptedVad(), SessionSettings(), GatewaySettings())


async def test_where_nothing_has_changed_nothing_is_different(tmp_path: Path):
    tape = await conversation(tmp_path)
    assert await asyncio.to_thread(again, tape) == []


async def test_hands_free_too(tmp_path: Path):
    async with recorded(tmp_path) as house, house.device() as device:
        await device.hello(features={"stream": True})
        await device.listen("start", mode="auto")
        await device.play(spoken(800, then_silent_ms=1500))
        await device.expect("tts", state="stop")
    assert await asyncio.to_thread(again, only(tmp_path)) == []


async def test_a_sentence_that_was_talked_over_is_cut_again(tmp_path: Path):
    """What was heard of it is all that the recording has, and it must not end there: it had not, then."""
    async with recorded(tmp_path) as house, house.device() as device:
        house.stt.script = ("tell me a story", "enough")  # type: ignore[attr-defined]
        house.llm.answers = {"tell me a story": f"{FOX} It ate. The end."}  # type: ignore[attr-defined]
        await device.hello(features={"sentence_end": True})
        await device.listen("start", mode="realtime")
        await device.play(spoken(800, then_silent_ms=900))
        await device.expect("tts", state="sentence_start", text=FOX)
        await device.play(spoken(0, then_silent_ms=1000))
        await device.play(spoken(1200, then_silent_ms=1500))
        await device.expect("tts", state="stop")
        await device.spoken_turn()
    tape = only(tmp_path)
    ends = [words for words, _ in noticed(tape.entries) if "sentence_end" in words]
    assert len(ends) == 2  # of the answer to `enough`
    assert not any(FOX in words for words in ends)
    assert await asyncio.to_thread(again, tape) == []


async def test_each_change_is_told(tmp_path: Path):
    tape = await conversation(tmp_path)
    stt = ScriptedStt(("what time is it", "tell me a story"))

    async def found(**engines: Any) -> list[str]:
        async with Rehearsal(**({"stt": stt} | engines)) as house:
            stt.calls = 0

            async def dial(info: LinkInfo) -> Link:
                return house.link(info)

            return differences(tape.entries, await rerun(tape, dial, push=house.sessions.push))

    other = await found(llm=ScriptedLlm(ANSWERS | {"what time is it": "It is one."}))
    assert '- tts {"state": "sentence_start", "text": "It is noon."}' in other
    assert '+ tts {"state": "sentence_start", "text": "It is one."}' in other
    deaf = await found(stt=ScriptedStt(("",)), llm=ScriptedLlm(ANSWERS))
    assert '- stt {"text": "what time is it"}' in deaf


async def test_a_voice_that_takes_longer_is_told_of(tmp_path: Path):
    async with recorded(tmp_path) as house, house.device() as device:
        await device.hello()
        await say(device)
        await device.spoken_turn()
    tape = only(tmp_path)
    async with Rehearsal(tts=ScriptedTts(ms_per_character=120)) as house:

        async def dial(info: LinkInfo) -> Link:
            return house.link(info)

        found = differences(tape.entries, await rerun(tape, dial))
    assert len(found) == 2
    assert found[0].startswith('? tts {"state": "sentence_start", "text": "You said: what time is it."}: ')


async def test_a_server_that_hangs_up_is_told_of(tmp_path: Path):
    tape = await conversation(tmp_path)
    async with Rehearsal(gateway_settings=GatewaySettings(hello_s=0.001)) as house:

        async def dial(info: LinkInfo) -> Link:
            link = house.link(info)
            await asyncio.sleep(1)
            return link

        found = differences(tape.entries, await rerun(tape, dial))
    assert all(line.startswith("-") for line in found)
    assert len(found) > 10


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "stt", "text": "hi", "confidence": 0.5}, 'stt {"text": "hi"}'),
        ({"type": "stt", "text": "hi", "is_final": False}, ""),
        ({"type": "metrics", "stages": {}}, ""),
        ({"type": "mcp", "payload": {}}, "mcp"),
        ({"type": "error", "error_code": "overloaded", "message": "x"}, 'error {"error_code": "overloaded"}'),
    ],
)
def test_what_a_user_would_notice(message: dict[str, Any], words: str):
    assert event(message) == words


def test_the_order_matters():
    one, two = (FromServer(at_ms=0.0, message={"type": kind}) for kind in ("pong2", "goodbye"))
    assert differences([one, two], [one, two]) == []
    assert differences([one, two], [two, one]) == ["+ goodbye", "- goodbye"]


@pytest.mark.real
async def test_a_server_that_runs_is_asked_in_real_time():
    hello = {"type": "hello", "id": "h", "version": 1, "transport": "websocket", "device_id": "kitchen"}
    form = SoundFormat("opus", 16_000, 60)
    entries: list[Line] = [
        Opened(
            at_ms=0,
            path="/",
            headers={},
            query={},
            dialect="lumi",
            framing="v1",
            client="lumi",
            resumed=False,
        ),
        FromClient(at_ms=1, message=hello),
        Agreed(at_ms=1, uplink=form, downlink=form),
        FromServer(
            at_ms=2, message={"type": "hello", "version": 1, "transport": "websocket", "resumed": False}
        ),
        FromClient(at_ms=100, message={"type": "chat", "id": "c", "content": "hi", "session_id": "then"}),
        FromServer(at_ms=101, message={"type": "response", "id": "c", "content": "It is noon."}),
        Closed(at_ms=102, code=1000, reason=""),
    ]
    tape = Recording(Header(session_id="then", device_id="kitchen", started_at=0.0), entries)
    async with scripted_lumi() as server:
        assert await run_at(tape, server.url) == []
    async with scripted_lumi(llm=ScriptedLlm({"hi": "It is one."})) as server:
        assert len(await run_at(tape, server.url)) == 2
