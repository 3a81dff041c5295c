from __future__ import annotations

import math
import sys
from array import array

import pytest

from lumi.client import resampling as module
from lumi.client.resampling import Resampler, nearest_rate


def tone(rate_hz: int, frequency_hz: float, seconds: float = 0.5) -> bytes:
    count = int(rate_hz * seconds)
    return array(
        "h", (round(10_000 * math.sin(2 * math.pi * frequency_hz * n / rate_hz)) for n in range(count))
    ).tobytes()


def convert(pcm: bytes, from_hz: int, to_hz: int, piece: int = 1 << 20) -> array[int]:
    resampler = Resampler(from_hz, to_hz)
    out = (
        b"".join(resampler.feed(pcm[at : at + piece]) for at in range(0, len(pcm), piece)) + resampler.flush()
    )
    return array("h", out)


def loudness(samples) -> float:
    return math.sqrt(sum(one * one for one in samples) / len(samples))


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(22_050, 24_000), (44_100, 16_000), (8_000, 48_000), (11_025, 12_000)]
)
def test_a_tone_stays_the_same_tone(from_hz, to_hz):
    got = convert(tone(from_hz, 440), from_hz, to_hz)
    wanted = array("h", tone(to_hz, 440))
    assert abs(len(got) - len(wanted)) <= 2
    middle = range(to_hz // 20, to_hz // 2 - to_hz // 20)
    error = loudness([got[at] - wanted[at] for at in middle])
    assert error < 0.01 * loudness(wanted)


def test_what_the_lower_rate_cannot_hold_is_taken_out():
    got = convert(tone(48_000, 11_000), 48_000, 16_000)
    assert loudness(got[1000:-1000]) < 0.02 * 10_000


def test_the_pieces_do_not_matter():
    pcm = tone(22_050, 300, 0.2)
    assert convert(pcm, 22_050, 16_000, piece=77) == convert(pcm, 22_050, 16_000)


def test_equal_rates_pass_through_whole_samples():
    resampler = Resampler(16_000, 16_000)
    assert resampler.feed(b"\1\2\3") == b"\1\2"
    assert resampler.feed(b"\4") == b"\3\4"
    assert resampler.flush() == b""


def test_full_scale_is_not_wrapped():
    square = array("h", [32767] * 400 + [-32768] * 400).tobytes()
    got = convert(square, 16_000, 24_000)
    assert max(got) == 32767
    assert min(got) == -32768
    assert all(one > 0 for one in got[100:500])


def test_the_nearest_rate_loses_nothing_if_it_can():
    rates = (8_000, 16_000, 48_000)
    assert nearest_rate(8_000, rates) == 8_000
    assert nearest_rate(11_025, rates) == 16_000
    assert nearest_rate(96_000, rates) == 48_000


def test_pcm_is_little_endian_on_every_machine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "byteorder", "big")
    samples = module._from_bytes(b"\1\2")
    assert samples == array("h", b"\2\1")
    assert module._to_bytes(samples) == b"\1\2"
    assert samples == array("h", b"\2\1")


def test_silence_at_the_very_edge_of_the_kernel():
    assert module._tap(12.0, 1.0, 12) == 0.0
    assert module._tap(0.0, 1.0, 12) == 1.0
