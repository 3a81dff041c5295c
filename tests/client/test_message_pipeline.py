from __future__ import annotations

import logging

import pytest

from lumi.client.broadcast import Broadcast
from lumi.client.events import Audio, Event, Incoming, LinkClosed
from lumi.client.message_pipeline import MessagePipeline
from lumi.errors import LumiError, ProtocolError
from lumi.protocol.messages import AudioFrame, ErrorCode, Fault, Response, Stt


class Log:
    def __init__(self) -> None:
        self.forwarded: list[Event] = []
        self.errors: list[Exception] = []

    def pipeline(self, **options) -> MessagePipeline:
        return MessagePipeline(
            self.forwarded.append, on_error=lambda error, _item: self.errors.append(error), **options
        )


async def test_messages_and_sound_are_forwarded():
    log = Log()
    pipeline = log.pipeline()
    await pipeline.process(Stt(text="hi"))
    await pipeline.process(AudioFrame(b"packet"))
    assert log.forwarded == [Stt(text="hi"), Audio(b"packet")]


async def test_an_invalid_item_is_an_error_and_no_event():
    log = Log()
    await log.pipeline().process(Fault(ErrorCode.BAD_JSON, "no JSON", "m1"))
    (error,) = log.errors
    assert isinstance(error, ProtocolError)
    assert (error.code, error.message_id, log.forwarded) == ("bad_json", "m1", [])


async def test_what_is_not_supported_is_passed_by():
    log = Log()
    pipeline = log.pipeline(supported=frozenset({Response}))
    await pipeline.process(Stt(text="hi"))
    await pipeline.process(Response(id="a"))
    assert log.forwarded == [Response(id="a")]


async def test_steps_run_in_order_and_may_change_or_keep_an_event():
    log = Log()
    pipeline = log.pipeline()

    async def shout(stt: Stt) -> Stt:
        return Stt(text=stt.text.upper())

    async def discreet(stt: Stt) -> Stt | None:
        return None if "SECRET" in stt.text else stt

    seen = []

    async def see(stt: Stt) -> Stt:
        seen.append(stt.text)
        return stt

    for step in (shout, discreet, see):
        pipeline.add_step(Stt, step)
    await pipeline.process(Stt(text="hi"))
    await pipeline.process(Stt(text="secret"))
    assert log.forwarded == [Stt(text="HI")]
    assert seen == ["HI"]


async def test_a_step_that_breaks_costs_one_event_not_the_stream():
    log = Log()
    pipeline = log.pipeline()

    async def picky(stt: Stt) -> Stt:
        if stt.text == "bad":
            raise ZeroDivisionError
        return stt

    pipeline.add_step(Stt, picky)
    await pipeline.process(Stt(text="bad"))
    await pipeline.process(Stt(text="good"))
    assert log.forwarded == [Stt(text="good")]
    assert isinstance(log.errors[0], ZeroDivisionError)


@pytest.mark.parametrize(("error", "traceback"), [(ValueError("bug"), True), (LumiError("known"), False)])
async def test_by_default_errors_are_logged(caplog: pytest.LogCaptureFixture, error, traceback):
    pipeline = MessagePipeline(lambda _event: None)

    async def broken(_stt: Stt) -> Stt:
        raise error

    pipeline.add_step(Stt, broken)
    with caplog.at_level(logging.WARNING, "lumi.client.pipeline"):
        await pipeline.process(Stt(text="x"))
    (record,) = caplog.records
    assert "while processing Stt" in record.getMessage()
    assert bool(record.exc_info) is traceback


async def test_it_runs_until_the_link_closes_or_the_stream_ends():
    log = Log()
    source: Broadcast[Incoming] = Broadcast()
    with source.subscribe() as incoming:
        for item in (Stt(text="1"), LinkClosed(1001), Stt(text="2")):
            source.publish(item)
        source.close()
        pipeline = log.pipeline()
        assert await pipeline.run(incoming) == LinkClosed(1001)
        assert await pipeline.run(incoming) is None
    assert log.forwarded == [Stt(text="1"), Stt(text="2")]
