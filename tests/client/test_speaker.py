from __future__ import annotations

import asyncio
import sys

import pytest
from tests.client import sound_library

from lumi.client.speaker import MAX_BUFFER_S, Speaker


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "miniaudio", sound_library)
    return sound_library


async def test_what_is_written_is_played_and_then_silence(library):
    async with Speaker(24_000) as speaker:
        card = library.last()
        assert card.options["sample_rate"] == 24_000
        speaker.write(b"\1\1" * 240)
        assert speaker.waiting_ms == 10
        assert card.move(120) == b"\1\1" * 120
        assert (speaker.waiting_ms, speaker.played_ms) == (5, 5)
        assert card.move(240) == b"\1\1" * 120 + bytes(240)
        assert (speaker.waiting_ms, speaker.played_ms) == (0, 10)
    assert card.closed


async def test_silent_at_once(library):
    async with Speaker() as speaker:
        speaker.write(b"\1\1" * 1600)
        speaker.clear()
        assert library.last().move(10) == bytes(20)
        assert speaker.played_ms == 0


async def test_the_buffer_is_bounded(library):
    async with Speaker(8_000) as speaker:
        speaker.write(bytes(8_000 * 2 * MAX_BUFFER_S))
        speaker.write(b"\1\1" * 80)
        assert speaker.waiting_ms == MAX_BUFFER_S * 1000
        assert speaker.dropped_ms == 10


async def test_draining_takes_as_long_as_there_is_to_play(library):
    async with Speaker() as speaker:
        speaker.write(bytes(32_000))
        start = asyncio.get_running_loop().time()
        await speaker.drain()
        assert asyncio.get_running_loop().time() - start == pytest.approx(1.06)


@pytest.mark.real
async def test_the_real_library_plays_to_its_null_device():
    async with Speaker(null=True) as speaker:
        speaker.write(b"\1\1" * 1600)
        await speaker.drain()
        assert speaker.waiting_ms == 0
        assert speaker.played_ms == 100
