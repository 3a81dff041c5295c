from __future__ import annotations

import asyncio

import pytest

from lumi.audio.format import AudioFormat, Codec
from lumi.audio.opus import OpusDecoder
from lumi.client import uplink as module
from lumi.client.uplink import RealTimePace, Uplink, best_audio
from lumi.errors import OpusUnavailable


def test_pcm_is_cut_into_whole_frames():
    uplink = Uplink(AudioFormat(Codec.PCM, 16_000, 1, 20), 16_000)
    assert uplink.feed(b"\1" * 600) == []
    assert uplink.feed(b"\2" * 700) == [b"\1" * 600 + b"\2" * 40, b"\2" * 640]
    uplink.feed(b"\3\3")
    assert uplink.flush() == [b"\2" * 20 + b"\3\3" + bytes(618)]
    assert uplink.flush() == []
    uplink.close()


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_opus_of_any_rate_is_packets_of_the_agreed_length(rate_hz):
    uplink = Uplink(AudioFormat(), rate_hz)
    packets = uplink.feed(bytes(rate_hz * 2)) + uplink.flush()
    assert len(packets) == 17  # one second in 60 ms packets, the last filled up
    decoder = OpusDecoder(AudioFormat())
    assert {len(decoder.decode(packet)) for packet in packets} == {1920}
    uplink.close()


async def test_packets_leave_as_fast_as_they_are_spoken():
    clock = asyncio.get_running_loop().time
    pace = RealTimePace(0.06)
    start = clock()
    for _ in range(11):
        await pace.wait()
    assert clock() - start == pytest.approx(0.6)


async def test_after_a_pause_nothing_is_caught_up():
    clock = asyncio.get_running_loop().time
    pace = RealTimePace(0.06)
    await pace.wait()
    await asyncio.sleep(5)
    start = clock()
    for _ in range(3):
        await pace.wait()
    assert clock() - start == pytest.approx(0.12)


async def test_a_lead_may_go_ahead():
    clock = asyncio.get_running_loop().time
    pace = RealTimePace(0.06, lead_s=0.12)
    start = clock()
    for _ in range(3):
        await pace.wait()
    assert clock() == start
    await pace.wait()
    assert clock() - start == pytest.approx(0.06)


def test_opus_where_there_is_one_else_pcm(monkeypatch):
    assert best_audio() == AudioFormat()

    def none() -> None:
        raise OpusUnavailable("none")

    monkeypatch.setattr(module, "load_library", none)
    assert best_audio().codec is Codec.PCM
