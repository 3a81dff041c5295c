"""Resampling piece by piece, and frames of one size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audio.sounds import samples, tone

from lumi.audio.resample import Reframer, Resampler, mix_down


def alike(one: bytes, other: bytes) -> bool:
    """The same but for the dither that soxr adds when it rounds to 16 bits."""
    return len(one) == len(other) and all(
        abs(a - b) <= 3 for a, b in zip(samples(one), samples(other), strict=True)
    )


@pytest.mark.parametrize(("from_hz", "to_hz"), [(24_000, 16_000), (22_050, 16_000), (8_000, 48_000)])
def test_pieces_give_what_the_whole_gives(from_hz, to_hz):
    pcm = tone(500, from_hz)
    whole = Resampler(from_hz, to_hz).push(pcm, last=True)
    resampler = Resampler(from_hz, to_hz)
    pieces = [
        resampler.push(pcm[start : start + 701], last=start + 701 >= len(pcm))
        for start in range(0, len(pcm), 701)
    ]
    assert abs(len(whole) / 2 - to_hz / 2) <= 2
    assert alike(b"".join(pieces), whole)
    assert max(samples(whole)) == pytest.approx(8000, rel=0.05)


def test_equal_rates_pass_through_also_in_half_samples():
    resampler = Resampler(16_000, 16_000)
    assert [resampler.push(b"abc"), resampler.push(b"d"), resampler.push(b"efg", last=True)] == [
        b"ab",
        b"cd",
        b"ef",
    ]
    assert resampler.push(b"xy") == b"xy", "a torn last sample does not shift the next stream"


def test_after_the_last_piece_a_new_stream_begins():
    resampler = Resampler(24_000, 16_000)
    first = resampler.push(tone(200, 24_000), last=True)
    assert alike(resampler.push(tone(200, 24_000), last=True), first)


@pytest.mark.parametrize("rates", [(24_000, 16_000), (16_000, 16_000)])
def test_reset_forgets(rates):
    resampler = Resampler(*rates)
    fresh = resampler.push(tone(100, rates[0]), last=True)
    resampler.push(tone(50, rates[0], hz=100) + b"x")
    resampler.reset()
    assert alike(resampler.push(tone(100, rates[0]), last=True), fresh)


@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(1, 40))
def test_frames_are_of_one_size_and_lose_nothing(pieces, size):
    reframer = Reframer(size)
    frames = [frame for piece in pieces for frame in reframer.push(piece)]
    data = b"".join(pieces)
    assert {len(frame) for frame in frames} <= {size}
    assert reframer.rest_bytes == len(data) % size
    frames += reframer.push(b"", last=True)
    assert b"".join(frames) == data + bytes(-len(data) % size)
    assert reframer.rest_bytes == 0


def test_a_reframer_that_is_reset_drops_what_waits():
    reframer = Reframer(4)
    reframer.push(b"abc")
    reframer.reset()
    assert reframer.push(b"defg") == [b"defg"]


def test_mixing_down_is_the_mean_and_drops_a_torn_sample():
    stereo = b"\x02\x00\x04\x00" + b"\xff\x7f\xff\x7f" + b"\x00\x80\x00\x80" + b"\x01"
    assert samples(mix_down(stereo, 2)) == (3, 32767, -32768)
    assert mix_down(b"abcd", 1) == b"abcd"
