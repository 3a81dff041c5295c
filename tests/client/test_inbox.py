from __future__ import annotations

import asyncio

import pytest

from lumi.audio.format import AudioFormat
from lumi.audio.opus import OpusEncoder
from lumi.client.broadcast import Broadcast
from lumi.client.events import Audio, Incoming, LinkClosed
from lumi.client.inbox import Inbox
from lumi.errors import ConnectionLost, ConnectionRefused
from lumi.protocol.messages import AudioFrame, AudioParams, Response, ServerHello, Stt, Tts, TtsState

HELLO = ServerHello(session_id="12345678", audio_params=AudioParams(format="pcm"))


async def through(inbox: Inbox, *items: Incoming) -> list[object]:
    """What an application sees of `items`."""
    source: Broadcast[Incoming] = Broadcast()
    with inbox.events() as events, source.subscribe() as incoming:
        for item in items:
            source.publish(item)
        source.close()
        await inbox.run(incoming)
        return [event async for event in events]


async def test_sound_is_decoded_as_the_server_s_hello_says():
    packet = OpusEncoder(AudioFormat(sample_rate_hz=24_000)).encode(bytes(2880))
    hello = ServerHello(session_id="12345678", audio_params=AudioParams(sample_rate=24_000))
    events = await through(Inbox(), hello, AudioFrame(packet))
    (event,) = events
    assert isinstance(event, Audio)
    assert (len(event.pcm), event.rate_hz) == (2880, 24_000)


async def test_sound_belongs_to_the_turn_that_speaks():
    events = await through(
        Inbox(),
        AudioFrame(b"\0\0"),
        HELLO,
        Tts(state=TtsState.START, turn_id="t1"),
        AudioFrame(b"\1\1"),
        Tts(state=TtsState.STOP, turn_id="t1"),
        Tts(state=TtsState.START),
        AudioFrame(b"\2\2"),
    )
    sounds = [event for event in events if isinstance(event, Audio)]
    assert [(one.turn_id, one.pcm) for one in sounds] == [(None, b""), ("t1", b"\1\1"), (None, b"\2\2")]


async def test_a_turn_before_the_hello_breaks_nothing():
    assert len(await through(Inbox(), Tts(state=TtsState.START, turn_id="t1"))) == 1


async def test_an_answer_finds_who_waits_and_is_an_event_too():
    inbox = Inbox()
    with inbox.pending.expect("a") as answer:
        events = await through(inbox, Response(id="a", content="yes"), LinkClosed(1000))
        assert (await answer).content == "yes"
    assert events == [Response(id="a", content="yes")]


@pytest.mark.parametrize(
    ("closed", "kind"),
    [(LinkClosed(1000), None), (LinkClosed(1006), ConnectionLost), (LinkClosed(4409), ConnectionRefused)],
)
async def test_how_the_events_end(closed, kind):
    inbox = Inbox()
    if kind is None:
        assert await through(inbox, Stt(text="x"), closed) == [Stt(text="x")]
        return
    with pytest.raises(kind):
        await through(inbox, Stt(text="x"), closed)


@pytest.mark.parametrize("items", [(), (LinkClosed(1001, "going away"),)])
async def test_when_the_line_closes_nobody_waits_any_longer(items):
    inbox = Inbox()
    with inbox.pending.expect("a") as answer:
        await through(inbox, *items)
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(answer, 1)
