from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.client.card import Card, frame
from tests.client.scripted_server import Peer, ScriptedServer, converse, scripted_server
from tests.commands.screen import CHINESE, ENGLISH, Screen

from lumi.audio.format import AudioFormat, Codec
from lumi.client.client import connect
from lumi.client.player import Recording
from lumi.commands.console import Console
from lumi.commands.talk import FEATURES, Conversation, Style
from lumi.errors import ConnectionLost
from lumi.protocol.messages import (
    Abort,
    AudioFrame,
    Error,
    Listen,
    LlmEmotion,
    Notify,
    Played,
    Stt,
    Tts,
    TtsState,
)

PCM = AudioFormat(Codec.PCM, 16_000, 1, 60)
PIECE = b"\1\0" * 960


async def microphone() -> AsyncIterator[bytes]:
    """Hears something for ever, in real time."""
    while True:
        await asyncio.sleep(0.06)
        yield PIECE


async def keys(*waits_s: float) -> AsyncIterator[str]:
    for wait_s in waits_s[:-1]:
        await asyncio.sleep(wait_s)
        yield ""
    await asyncio.sleep(waits_s[-1])


def joined(server: ScriptedServer) -> Any:
    return connect(
        "ws://x/", device_id="me", connector=server.connector, audio=PCM, features=FEATURES, reconnect=None
    )


async def hold(server: ScriptedServer, console: Console, style: Style, *waits_s: float) -> Recording:
    sink = Recording()
    async with joined(server) as client:
        await Conversation(console, client, microphone(), sink).run(style, keys(*waits_s))
    return sink


def listens(server: ScriptedServer) -> list[tuple[str, str | None]]:
    return [(one.state, one.mode) for one in server.received(Listen)]


async def test_enter_opens_the_microphone_and_enter_closes_it(screen: Screen):
    async with scripted_server() as server:
        sink = await hold(server, ENGLISH, Style.HOLD, 1.0, 1.0, 2.0)
    assert listens(server) == [("start", "manual"), ("stop", None)]
    assert 15 <= len(server.received(AudioFrame)) <= 17
    assert len(sink.pcm) > 0
    out, err = screen.read()
    assert out == "You:  what time is it\nLumi: It is noon.\n"
    assert "Enter starts your turn" in err
    assert "● listening" in err


def turn(turn_id: str) -> list[Any]:
    return [
        Stt(text="hi", turn_id=turn_id),
        Tts(state=TtsState.START, turn_id=turn_id),
        Tts(state=TtsState.SENTENCE_START, text="Hello.", turn_id=turn_id),
        AudioFrame(PIECE),
    ]


async def speak_once(peer: Peer) -> None:
    """After a second, for half a second."""
    await asyncio.sleep(1)
    await peer.send(*turn("t1"))
    await asyncio.sleep(0.5)
    await peer.send(Tts(state=TtsState.STOP, turn_id="t1"))


async def answering_by_itself(peer: Peer, item: Any) -> None:
    if isinstance(item, Listen) and item.state == "start":
        if sum(isinstance(one, Listen) for one in peer.received) == 1:
            peer.meanwhile(speak_once(peer))
    else:
        await converse(peer, item)


async def test_hands_free_the_microphone_is_closed_while_the_server_speaks(screen: Screen):
    async with scripted_server(answering_by_itself) as server:
        await hold(server, CHINESE, Style.HANDS_FREE, 1.9)
    assert listens(server)[:2] == [("start", "auto"), ("start", "auto")]
    assert "请说话" in screen.read()[1]
    # one second of listening, half a second closed, then open again until the end
    assert 20 <= len(server.received(AudioFrame)) <= 24


async def test_in_realtime_it_stays_open_and_enter_interrupts():
    async with scripted_server(answering_by_itself) as server:
        await hold(server, ENGLISH, Style.REALTIME, 1.2, 0.5)
    assert listens(server) == [("start", "realtime")]
    (abort,) = server.received(Abort)
    assert abort.reason == "user_interrupt"
    assert len(server.received(AudioFrame)) > 24


async def speak_late(peer: Peer) -> None:
    """After a second, two seconds of speech that all come at once, with their end: the line had stood still."""
    await asyncio.sleep(1)
    await peer.send(Tts(state=TtsState.START, turn_id="t1"))
    await peer.send(*(AudioFrame(frame(number)) for number in range(34)))
    await peer.send(Tts(state=TtsState.STOP, turn_id="t1"))


async def answering_late(peer: Peer, item: Any) -> None:
    if isinstance(item, Listen) and item.state == "start":
        if len([one for one in peer.received if isinstance(one, Listen)]) == 1:
            peer.meanwhile(speak_late(peer))
    elif not isinstance(item, Abort):
        await converse(peer, item)


async def test_the_users_turn_comes_when_the_answer_was_heard_and_the_server_is_told():
    async with scripted_server(answering_late) as server, joined(server) as client:
        card = Card()
        conversation = Conversation(ENGLISH, client, microphone(), card)
        running = asyncio.create_task(conversation.run(Style.HANDS_FREE, keys(5)))
        await asyncio.sleep(2.9)
        assert not conversation.open, "the loudspeaker is still heard"
        assert listens(server) == [("start", "auto")]
        await asyncio.sleep(0.5)
        assert conversation.open
        assert listens(server) == [("start", "auto")] * 2
        await running
    assert card.numbers == list(range(34))
    told = server.received(Played)
    assert {one.turn_id for one in told} == {"t1"}
    assert [(one.ms, one.final) for one in told][-1] == (34 * 60, True)
    assert len(told) >= 6


async def test_an_interruption_is_silent_at_once():
    async with scripted_server(answering_late) as server, joined(server) as client:
        card = Card()
        await Conversation(ENGLISH, client, microphone(), card).run(Style.REALTIME, keys(2.0, 1.0))
    assert 15 <= len(card.numbers) <= 17
    assert [one.final for one in server.received(Played)][-1]
    assert server.received(Played)[-1].ms == pytest.approx(1_000, abs=40)
    assert len(server.received(Abort)) == 1


async def test_the_key_that_opens_the_microphone_ends_the_answer():
    async with scripted_server(answering_late) as server, joined(server) as client:
        card = Card()
        await Conversation(ENGLISH, client, microphone(), card).run(Style.HOLD, keys(0.0, 0.5, 1.5, 1.0))
    assert listens(server) == [("start", "manual"), ("stop", None), ("start", "manual")]
    assert 15 <= len([number for number in card.numbers if 0 <= number < 34]) <= 18


async def test_what_else_the_server_says_is_shown(screen: Screen):
    async def chatty(peer: Peer, item: Any) -> None:
        await converse(peer, item)
        if isinstance(item, Listen):
            await peer.send(
                LlmEmotion(emotion="happy", text="🙂"),
                Notify(id="n", kind="timer", text="Tea."),
                Error(error_code="stt_failed", error_message="no ears"),
            )

    async with scripted_server(chatty) as server:
        await hold(server, ENGLISH, Style.HOLD, 0.5, 0.5)
        await hold(server, CHINESE, Style.HOLD, 0.5, 0.5)
    out, err = screen.read()
    assert out.count("⏰ Tea.") == 2
    assert "🙂" in err
    assert "error: no ears" in err
    assert "错误：no ears" in err


async def test_it_ends_when_the_connection_does():
    async with scripted_server() as server, joined(server) as client:
        conversation = Conversation(ENGLISH, client, microphone(), Recording())
        running = asyncio.create_task(conversation.run(Style.HOLD, keys(1000)))
        await asyncio.sleep(1)
        await server.peer.link.close(1001, "bye")
        await asyncio.wait_for(running, 5)


async def test_a_broken_line_is_told():
    async with scripted_server() as server, joined(server) as client:
        conversation = Conversation(ENGLISH, client, microphone(), Recording())
        running = asyncio.create_task(conversation.run(Style.HOLD, keys(1000)))
        await asyncio.sleep(1)
        server.peer.link.cut()
        with pytest.raises(ExceptionGroup) as caught:
            await running
        assert caught.group_contains(ConnectionLost)
