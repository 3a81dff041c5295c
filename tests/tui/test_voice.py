from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from tests.client.scripted_server import Peer, ScriptedServer, converse, scripted_server
from tests.tui.stage import PIECE, FakeLoudspeaker, FakeMicrophone, dial_by, until, without_sound

from lumi.client.client import Client
from lumi.client.events import Audio
from lumi.errors import AudioError, LocalProtocolError, LumiError, NotConnected
from lumi.protocol.messages import Abort, AudioFrame, ClientHello, Listen, Played, Stt, Tts, TtsState
from lumi.tui.model import Listening, Model
from lumi.tui.voice import Devices, Voice, while_it_stands

START, STOP = Tts(state=TtsState.START, turn_id="t1"), Tts(state=TtsState.STOP, turn_id="t1")


@dataclass
class Scene:
    voice: Voice
    model: Model
    client: Client
    server: ScriptedServer
    loudspeaker: FakeLoudspeaker

    @property
    def listens(self) -> list[tuple[str, str | None]]:
        return [(one.state, one.mode) for one in self.server.received(Listen)]

    def expect(self, listening: Listening) -> None:
        assert self.model.listening is listening

    async def told(self, *events: Any) -> None:
        for event in events:
            self.model.event(event, asyncio.get_running_loop().time())
            self.voice.hear(event)
        await asyncio.sleep(0.1)


@asynccontextmanager
async def scene(script: Any = converse, *, attached: bool = True) -> AsyncIterator[Scene]:
    model, loudspeaker = Model("en"), FakeLoudspeaker()
    devices = Devices(FakeMicrophone, lambda: loudspeaker)
    async with (
        scripted_server(script) as server,
        dial_by(server.connector, wait_ready=True)() as client,
        Voice(model, devices) as voice,
    ):
        if attached:
            await voice.attach(client)
        yield Scene(voice, model, client, server, loudspeaker)


async def test_the_key_opens_the_microphone_and_closes_it():
    async with scene() as at:
        await at.voice.talk()
        at.expect(Listening.HOLD)
        await asyncio.sleep(1.0)
        await at.voice.talk()
        at.expect(Listening.OFF)
        await asyncio.sleep(0.2)
        sent = len(at.server.received(AudioFrame))
        assert 15 <= sent <= 18
        await asyncio.sleep(1.0)
        assert len(at.server.received(AudioFrame)) == sent
        assert at.listens == [("start", "manual"), ("stop", None)]
        assert at.model.microphone.value(asyncio.get_running_loop().time()) > 0


async def loud(peer: Peer, item: Any) -> None:
    """Answers a recording with two pieces of a tone."""
    if isinstance(item, Listen) and item.state == "stop":
        await peer.send(Stt(text="hi", turn_id="t1"), START, AudioFrame(PIECE), AudioFrame(PIECE), STOP)
    elif not isinstance(item, Listen):
        await converse(peer, item)


async def test_the_answer_is_played_and_talking_silences_it():
    async with scene(loud) as at:
        events = at.client.events()
        await at.voice.talk()
        await at.voice.talk()
        async for event in events:
            await at.told(event)
            if isinstance(event, Tts) and event.state is TtsState.STOP:
                break
        await asyncio.sleep(0.5)
        assert len(at.loudspeaker.recording.pcm) == 2 * len(PIECE)
        assert at.model.loudspeaker.value(0.0) > 0
        assert [one.final for one in at.server.received(Played)][-1]
        await at.voice.talk()
        at.expect(Listening.HOLD)


async def test_hands_free_closes_the_microphone_while_lumi_speaks():
    async with scene() as at:
        await at.voice.hands_free()
        at.expect(Listening.HANDS_FREE)
        await at.told(Stt(text="hi"), START)
        at.expect(Listening.PAUSED)
        await at.told(STOP)
        at.expect(Listening.HANDS_FREE)
        await asyncio.sleep(0.1)
        assert at.listens == [("start", "auto"), ("start", "auto")]


async def test_hands_free_can_be_switched_off_also_while_lumi_speaks():
    async with scene() as at:
        for events in ((), (START,)):
            await at.voice.hands_free()
            await at.told(*events)
            await at.voice.hands_free()
            at.expect(Listening.OFF)
            await at.told(STOP)
            at.expect(Listening.OFF)
        await asyncio.sleep(0.1)
        assert len(at.server.received(Abort)) == 2


async def test_interrupting_ends_the_turn_and_a_held_recording():
    async with scene() as at:
        await at.voice.talk()
        await at.voice.interrupt()
        at.expect(Listening.OFF)
        await at.voice.interrupt()
        await asyncio.sleep(0.1)
        assert len(at.server.received(Abort)) == 2


async def test_interrupting_hands_free_listens_anew():
    async with scene() as at:
        await at.voice.hands_free()
        await at.voice.interrupt()
        at.expect(Listening.HANDS_FREE)
        await asyncio.sleep(0.1)
        assert at.listens == [("start", "auto"), ("start", "auto")]


async def test_without_a_line_nobody_can_talk_and_the_screen_says_so():
    async with scene(attached=False) as at:
        await at.voice.talk()
        await at.voice.hands_free()
        await at.voice.interrupt()
        at.expect(Listening.OFF)
        (notice,) = at.model.conversation.entries
        assert notice.words.en.startswith("Not connected yet")
        await asyncio.sleep(0.1)
        assert (at.listens, at.server.received(Abort)) == ([], [])


async def test_a_held_recording_ends_with_the_line_and_hands_free_goes_on():
    async with scene() as at:
        await at.voice.talk()
        at.voice.detach()
        at.expect(Listening.OFF)
        await at.voice.attach(at.client)
        at.expect(Listening.OFF)
        await at.voice.hands_free()
        at.voice.detach()
        at.expect(Listening.PAUSED)
        await at.told(STOP)
        at.expect(Listening.PAUSED)
        await at.voice.attach(at.client)
        at.expect(Listening.HANDS_FREE)
        at.voice.detach()
        await at.voice.hands_free()
        at.expect(Listening.OFF)


async def test_a_machine_without_sound_says_why():
    model = Model("en")
    async with (
        scripted_server() as server,
        dial_by(server.connector, wait_ready=True)() as client,
        Voice(model, without_sound()) as voice,
    ):
        await voice.attach(client)
        await voice.talk()
        voice.hear(START)
        voice.hear(STOP)
        await asyncio.sleep(0.1)
        await voice.interrupt()
        voice.detach()
    assert [entry.words.en for entry in model.conversation.entries] == [
        "Answers come as text: this machine has no loudspeaker",
        "You cannot talk: this machine has no microphone",
    ]


async def test_a_line_that_breaks_under_the_recording_does_no_harm():
    async def cut(peer: Peer, item: Any) -> None:
        if isinstance(item, ClientHello):
            await peer.greet(item)
        elif isinstance(item, AudioFrame):
            await peer.link.close(1011, "a fuse blew")

    async with scene(cut) as at:
        await at.voice.talk()
        await until(lambda: at.client.state.phase in {"error", "ready"} and len(at.server.peers) > 1)
        await asyncio.sleep(0.5)
        assert list(at.model.conversation.entries) == []


async def test_sound_that_cannot_be_sent_ends_the_recording():
    async def unusable(pcm: bytes, rate_hz: int) -> int:
        raise AudioError("no codec")

    async with scene() as at:
        at.client.send_pcm = unusable  # type: ignore[method-assign]
        await at.voice.talk()
        await asyncio.sleep(0.5)
        at.expect(Listening.OFF)
        (entry,) = at.model.conversation.entries
        assert "no codec" in entry.words.en


async def test_hands_free_waits_until_the_last_of_an_answer_was_heard():
    async with scene() as at:
        await at.voice.hands_free()
        at.loudspeaker.recording.waiting_ms = 60.0
        await at.told(START, Audio(b"x", PIECE, turn_id="t1"), STOP)
        at.expect(Listening.PAUSED)
        at.loudspeaker.recording.waiting_ms = 0.0
        await asyncio.sleep(0.5)
        at.expect(Listening.HANDS_FREE)


async def test_what_was_heard_when_the_line_went_is_told_to_nobody():
    async with scene() as at:
        await at.told(START, Audio(b"x", PIECE, turn_id="t1"))
        at.voice.detach()
        await asyncio.sleep(0.5)
        assert not any(one.final for one in at.server.received(Played))


@pytest.mark.parametrize(
    ("error", "shown"), [(NotConnected("gone"), []), (LocalProtocolError("out of turn"), ["error"])]
)
async def test_the_end_of_the_line_is_no_failure_of_what_was_done_on_it(error: LumiError, shown: list[str]):
    async def work() -> None:
        raise error

    model = Model("en")
    await while_it_stands(work(), model)
    assert [entry.speaker.value for entry in model.conversation.entries] == shown
