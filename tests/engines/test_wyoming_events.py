from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.event import Event, async_read_event
from wyoming.info import Describe

from lumi.engines.wyoming_events import EventLimits, EventReader, packed
from lumi.errors import FrameError

MESSAGES = (
    Describe(),
    Transcript("现在几点", language="zh"),
    AudioChunk(16_000, 2, 1, b"\n{}\x00" * 7, timestamp=3),
    AudioStop(),
)
STREAM = b"".join(map(packed, MESSAGES))


def read(*pieces: bytes, limits: EventLimits | None = None) -> list[Event]:
    reader = EventReader(limits)
    return [event for piece in pieces for event in reader.feed(piece)]


async def test_the_official_reader_reads_what_we_write():
    stream = asyncio.StreamReader()
    stream.feed_data(STREAM)
    stream.feed_eof()
    for message in MESSAGES:
        event = await async_read_event(stream)
        assert event is not None
        assert (event.type, event.data, event.payload) == as_read(message.event())


def as_read(event: Event) -> tuple[str, dict[str, object], bytes | None]:
    return event.type, event.data, event.payload


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_however_it_is_cut_the_same_events_come(cuts):
    ends = [*sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    assert list(map(as_read, read(*pieces))) == [as_read(message.event()) for message in MESSAGES]


def test_data_in_the_line_and_behind_it_are_joined():
    line = {"type": "x", "data": {"a": 1, "b": 2}, "data_length": 7, "version": "9", "more": []}
    (event,) = read(json.dumps(line).encode() + b'\n{"b":3}')
    assert event.data == {"a": 1, "b": 3}
    assert read(b'{"type":"x","data":null}\n')[0].data == {}


def test_whether_an_event_has_begun():
    reader = EventReader()
    assert not reader.inside
    assert list(reader.feed(b'{"type":')) == []
    assert reader.inside
    assert len(list(reader.feed(b'"x","payload_length":2}\n'))) == 0
    assert reader.inside
    assert len(list(reader.feed(b"ab"))) == 1
    assert not reader.inside


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1\r\n",
        b"[]\n",
        b"\n",
        b'{"type":""}\n',
        b'{"type":7}\n',
        b'{"no":"type"}\n',
        b'{"type":"x","payload_length":-1}\n',
        b'{"type":"x","data_length":"9"}\n',
        b'{"type":"x","data":[]}\n',
        b'{"type":"x","data_length":2}\n[]',
        b"\xff\xfe\n",
        b"[" * 20_000 + b"\n",
    ],
)
def test_what_is_no_event_is_refused(line):
    with pytest.raises(FrameError, match="this is no Wyoming event"):
        read(line)


@pytest.mark.parametrize(
    ("piece", "what"),
    [
        (b"x" * 101, "line"),
        (b'{"type":"' + b"x" * 100 + b'"}\n', "line"),
        (b'{"type":"x","data_length":51}\n', "data_length"),
        (b'{"type":"x","payload_length":10000000000}\n', "payload_length"),
    ],
)
def test_what_is_too_long_is_refused_before_it_has_come(piece, what):
    limits = EventLimits(header_bytes=100, data_bytes=50, payload_bytes=50)
    with pytest.raises(FrameError, match=f"{what} is too long"):
        read(piece, limits=limits)


@given(st.binary(max_size=300))
def test_whatever_comes_is_an_event_or_an_error_of_ours(data):
    with suppress(FrameError):
        read(data)
