from __future__ import annotations

import asyncio

import pytest

from lumi.audio.format import AudioFormat
from lumi.audio.opus import OpusEncoder
from lumi.client.broadcast import Broadcast
from lumi.client.chat_outbox import ChatOutbox
from lumi.client.events import Audio, Incoming, LinkClosed
from lumi.client.inbox import Inbox
from lumi.client.offline_queue import OfflineQueue
from lumi.client.resumption import Resumption
from lumi.errors import ConnectionRefused
from lumi.protocol.messages import (
    AudioFrame,
    AudioParams,
    Features,
    Notify,
    Response,
    ServerHello,
    Stt,
    Tts,
    TtsState,
)

HELLO = ServerHello(session_id="12345678", audio_params=AudioParams(format="pcm"))


def an_inbox() -> Inbox:
    async def nowhere(_message: object) -> None:
        """Nobody is there."""

    return Inbox(Resumption(), ChatOutbox(nowhere, OfflineQueue()))


async def through(inbox: Inbox, *items: Incoming) -> list[object]:
    """What an application sees of `items`."""
    source: Broadcast[Incoming] = Broadcast()
    with inbox.events() as events, source.subscribe() as incoming:
        for item in items:
            source.publish(item)
        source.close()
        await inbox.run(incoming)
        inbox.finish(None)
        return [event async for event in events]


async def test_sound_is_decoded_as_the_server_s_hello_says():
    packet = OpusEncoder(AudioFormat(sample_rate_hz=24_000)).encode(bytes(2880))
    hello = ServerHello(session_id="12345678", audio_params=AudioParams(sample_rate=24_000))
    events = await through(an_inbox(), hello, AudioFrame(packet))
    (event,) = events
    assert isinstance(event, Audio)
    assert (len(event.pcm), event.rate_hz) == (2880, 24_000)


async def test_sound_belongs_to_the_turn_that_speaks():
    events = await through(
        an_inbox(),
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
    assert len(await through(an_inbox(), Tts(state=TtsState.START, turn_id="t1"))) == 1


async def test_an_answer_finds_who_waits_and_is_an_event_too():
    inbox = an_inbox()
    with inbox.outbox.pending.expect("a") as answer:
        events = await through(inbox, Response(id="a", content="yes"), LinkClosed(1000))
        assert (await answer).content == "yes"
    assert events == [Response(id="a", content="yes")]


async def test_the_events_go_on_over_lines_and_end_with_the_last_word():
    inbox = an_inbox()
    events = inbox.events()
    lines = (Stt(text="a"), LinkClosed(1006, link=1), Stt(text="b"), LinkClosed(1000, link=2))
    assert await through(inbox, *lines) == [Stt(text="a"), Stt(text="b")]
    assert [await anext(events) for _ in range(2)] == [Stt(text="a"), Stt(text="b")]
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_the_last_word_may_be_an_error():
    inbox = an_inbox()
    events = inbox.events()
    inbox.finish(ConnectionRefused(4401, "no"))
    with pytest.raises(ConnectionRefused):
        await anext(events)


async def test_which_line_has_closed():
    inbox = an_inbox()
    source: Broadcast[Incoming] = Broadcast()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(inbox.run(source.subscribe()))
        second = tasks.create_task(inbox.closed(2))
        source.publish(LinkClosed(1006, link=1))
        assert (await inbox.closed(1)).link == 1
        assert not second.done()
        source.publish(LinkClosed(1001, link=2))
        assert (await second).code == 1001
        source.close()


async def test_the_sound_of_a_new_line_waits_for_its_hello():
    sound = AudioFrame(b"\1\1")
    events = await through(an_inbox(), HELLO, sound, LinkClosed(1006, link=1), sound, HELLO, sound)
    assert [one.pcm for one in events if isinstance(one, Audio)] == [b"\1\1", b"", b"\1\1"]


async def test_what_was_seen_is_not_shown_again():
    hello = ServerHello(
        session_id="12345678", audio_params=AudioParams(format="pcm"), features=Features(resume=True)
    )
    items = (hello, Stt(text="a", seq=1), Stt(text="a", seq=1), Notify(id="n", kind="timer", text="t", seq=2))
    events = await through(an_inbox(), *items, *items)
    assert [type(event) for event in events] == [Stt, Notify]
