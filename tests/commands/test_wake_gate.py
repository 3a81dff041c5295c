from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.client.scripted_server import Peer, converse, scripted_server
from tests.commands.screen import CHINESE, ENGLISH, Screen
from tests.commands.test_talk import PIECE, joined, keys, listens, microphone, turn

from lumi.client.player import Recording
from lumi.commands.talk import Conversation, Style
from lumi.commands.wake_gate import PATIENCE_S, WAITING_PIECES, WakeGate, wake_engine
from lumi.engines.wyoming_wake import WyomingWake
from lumi.errors import ConfigError, EngineError, EngineUnavailable
from lumi.protocol.messages import AudioFrame, Listen, Tts, TtsState


class ScriptedWake:
    """Hears its word after so many pieces, and from then on every time so many have come; or fails."""

    name = "scripted-wake"

    def __init__(self, every: int, *failures: Exception) -> None:
        self.every = every
        self.failures = list(failures)
        self.heard: list[bytes] = []

    async def detect(self, audio: AsyncIterator[bytes]) -> AsyncIterator[str]:
        async for piece in audio:
            if self.failures:
                raise self.failures.pop(0)
            self.heard.append(piece)
            if len(self.heard) % self.every == 0:
                yield "okay_nabu"

    async def aclose(self) -> None:
        """Nothing to close."""


async def answering(peer: Peer, item: Any) -> None:
    """A second after the microphone was opened there is an answer of half a second."""

    async def speak() -> None:
        await asyncio.sleep(1)
        await peer.send(*turn("t1"))
        await asyncio.sleep(0.5)
        await peer.send(Tts(state=TtsState.STOP, turn_id="t1"))

    if isinstance(item, Listen):
        if item.state == "start":
            peer.meanwhile(speak())
    else:
        await converse(peer, item)


async def test_nothing_is_sent_until_the_wake_word_and_after_the_answer_it_waits_again(screen: Screen):
    wake = ScriptedWake(20)
    async with scripted_server(answering) as server, joined(server) as client:
        conversation = Conversation(ENGLISH, client, microphone(), Recording(), wake, "okay nabu")
        running = asyncio.create_task(conversation.run(Style.WAKE, keys(5.0)))
        await asyncio.sleep(1.1)
        assert listens(server) == []
        assert server.received(AudioFrame) == []
        await asyncio.sleep(0.6)
        assert listens(server) == [("start", "auto")]
        await running
    assert listens(server) == [("start", "auto")] * 2
    _, err = screen.read()
    states = [line for line in err.splitlines() if line[:1] in "●○"]
    assert states[:4] == ["○ waiting for the wake word", "● listening"] * 2
    assert "Say 'okay nabu', or press Enter" in err


async def test_enter_stands_for_the_wake_word(screen: Screen):
    async with scripted_server(answering) as server, joined(server) as client:
        await Conversation(CHINESE, client, microphone(), Recording(), ScriptedWake(9_999), "alexa").run(
            Style.WAKE, keys(0.5, 0.5)
        )
    assert listens(server) == [("start", "auto")]
    assert "○ 等待唤醒词\n● 正在听\n" in screen.read()[1]


async def test_where_nobody_says_anything_it_waits_again():
    async def silent(peer: Peer, item: Any) -> None:
        if not isinstance(item, Listen):
            await converse(peer, item)

    async with scripted_server(silent) as server, joined(server) as client:
        conversation = Conversation(ENGLISH, client, microphone(), Recording(), ScriptedWake(20))
        running = asyncio.create_task(conversation.run(Style.WAKE, keys(PATIENCE_S + 2.0)))
        await asyncio.sleep(PATIENCE_S + 1.9)
        assert not conversation.open
        await running
    assert listens(server) == [("start", "auto"), ("stop", None)]


@asynccontextmanager
async def gate(wake: ScriptedWake) -> AsyncIterator[tuple[WakeGate, list[str]]]:
    told: list[str] = []

    async def opened() -> None:
        told.append("opened")

    async def gave_up() -> None:
        told.append("gave up")

    made = WakeGate(wake, ENGLISH, opened, gave_up)
    async with asyncio.TaskGroup() as tasks:
        jobs = [tasks.create_task(made.run()), tasks.create_task(made.watch())]
        yield made, told
        for job in jobs:
            job.cancel()


async def test_an_engine_that_fails_is_told_of_and_tried_again(screen: Screen):
    wake = ScriptedWake(1, EngineError("wyoming", "hung up"))
    async with gate(wake) as (made, told):
        made.wait()
        made.push(PIECE)
        await asyncio.sleep(1)
        made.push(PIECE)
        await asyncio.sleep(3)
        assert told == []
        await asyncio.sleep(2)
        assert told == ["opened"]
    assert "the wake word engine failed: wyoming: hung up" in screen.read()[1]


async def test_an_engine_that_cannot_work_here_ends_it():
    async def listening() -> None:
        async with gate(ScriptedWake(1, EngineUnavailable("micro", "install it"))) as (made, _):
            made.wait()
            made.push(PIECE)
            await asyncio.sleep(60)

    with pytest.raises(ExceptionGroup) as caught:
        await listening()
    assert caught.group_contains(EngineUnavailable)


async def test_of_what_waits_the_oldest_is_dropped_and_what_is_not_waited_for_too():
    wake = ScriptedWake(9_999)
    async with gate(wake) as (made, _):
        made.push(b"early")
        made.wait()
        for number in range(WAITING_PIECES + 3):
            made.push(bytes([number, 0]))
        await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        assert wake.heard == [bytes([number, 0]) for number in range(3, WAITING_PIECES + 3)]
        made.close()
        made.push(b"late")
        await asyncio.sleep(0.1)
        assert b"late" not in wake.heard


def test_which_engine_listens():
    assert wake_engine("okay nabu", "").name == "micro"
    assert isinstance(wake_engine("", "tcp://127.0.0.1:10400"), WyomingWake)
    with pytest.raises(ConfigError, match="--wake: names no wake word"):
        wake_engine("", "")
    with pytest.raises(ConfigError, match="there is no wake word 'computer'"):
        wake_engine("computer", "")
