from __future__ import annotations

import sys
from array import array

import pytest

from lumi.testing.sounds import silence, tone
from lumi.tui.levels import LevelMeter, level


def square(amplitude: int, samples: int = 960) -> bytes:
    values = array("h", [amplitude, -amplitude] * (samples // 2))
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


@pytest.mark.parametrize(
    ("pcm", "expected"),
    [
        (b"", 0.0),
        (b"\x01", 0.0),
        (silence(60), 0.0),
        (square(32767), 1.0),
        (square(3277), 2 / 3),
        (square(33), 0.0),
        (square(3277) + b"\x7f", 2 / 3),
    ],
    ids=["nothing", "half a sample", "silence", "full scale", "-20 dB", "-60 dB", "an odd byte"],
)
def test_loudness_is_counted_in_decibels(pcm: bytes, expected: float):
    assert level(pcm) == pytest.approx(expected, abs=0.002)


def test_a_big_endian_machine_swaps_the_bytes(monkeypatch: pytest.MonkeyPatch):
    expected = level(square(1000))
    swapped = array("h", square(1000))
    swapped.byteswap()
    other = "big" if sys.byteorder == "little" else "little"
    monkeypatch.setattr("lumi.tui.levels.sys.byteorder", other)
    heard = swapped.tobytes() if other == "big" else square(1000)
    assert level(heard) == expected


def test_the_needle_rises_at_once_and_sinks_slowly():
    meter = LevelMeter()
    assert meter.value(5.0) == 0.0
    meter.heard(square(32767), 10.0)
    assert meter.value(10.0) == pytest.approx(1.0, abs=0.001)
    assert meter.value(10.2) == pytest.approx(0.7, abs=0.001)
    meter.heard(silence(60), 10.2)
    assert meter.value(10.2) == pytest.approx(0.7, abs=0.001)
    assert meter.value(10.4) == pytest.approx(0.4, abs=0.001)
    meter.heard(tone(60), 10.5)
    assert meter.value(10.5) >= level(tone(60))
    assert meter.value(60.0) == 0.0
