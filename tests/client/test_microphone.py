from __future__ import annotations

import asyncio
import sys

import pytest
from tests.client import sound_library

from lumi.client.microphone import MAX_WAITING, Microphone


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "miniaudio", sound_library)
    return sound_library


async def test_what_is_recorded_comes_in_pieces_of_60_ms(library):
    async with Microphone() as microphone:
        card = library.last()
        assert card.options["sample_rate"] == 16_000
        card.move(b"\1" * 1000)
        card.move(b"\2" * 3000)
        first, second = await anext(microphone), await anext(microphone)
    assert first == b"\1" * 1000 + b"\2" * 920
    assert second == b"\2" * 1920
    assert card.closed


async def test_a_reader_that_lags_loses_the_oldest(library):
    async with Microphone() as microphone:
        for number in range(MAX_WAITING + 2):
            library.last().move(bytes([number]) * 1920)
        await asyncio.sleep(0)
        assert (await anext(microphone))[0] == 2
        assert microphone.dropped == 2


async def test_it_ends_when_it_is_left(library):
    microphone = Microphone()
    async with microphone:
        reader = asyncio.create_task(anext(microphone, None))
        await asyncio.sleep(0)
    assert await reader is None


async def test_a_card_that_goes_on_after_the_loop_has_closed(library):
    microphone = Microphone()
    loop = asyncio.new_event_loop()
    callback = microphone._callback(loop)
    next(callback)
    loop.close()
    with pytest.raises(StopIteration):
        callback.send(bytes(1920))


@pytest.mark.real
async def test_the_real_library_records_silence_from_its_null_device():
    async with Microphone(null=True) as microphone:
        assert await anext(microphone) == bytes(1920)
