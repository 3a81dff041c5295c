from __future__ import annotations

import pytest

from lumi.testing.sounds import loudness, peak, silence, tone


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000])
@pytest.mark.parametrize("ms", [0, 20, 60, 1_000, 2_500])
def test_lengths_are_exact(ms: int, rate_hz: int) -> None:
    assert len(tone(ms, rate_hz)) == len(silence(ms, rate_hz)) == 2 * round(ms * rate_hz / 1000)


def test_loudness_and_peak() -> None:
    assert loudness(silence(100)) == peak(silence(100)) == 0
    assert loudness(b"") == peak(b"") == 0
    assert loudness(tone(1_000, amplitude=8_000)) == pytest.approx(8_000 / 2**0.5, rel=0.01)
    assert peak(tone(1_000, amplitude=8_000)) == pytest.approx(8_000, rel=0.01)
    assert peak(b"\x00\x80") == 32_768
