from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.engines.heard_sound import (
    BYTES_A_SECOND,
    WINDOW_BYTES,
    is_silent,
    language_of,
    samples_of,
    windows,
    words_of,
)
from lumi.testing.conformance import noise


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("HELLO WORLD", "hello world"),
        ("昨天 是 MONDAY 今天", "昨天是 monday 今天"),
        ("你 好", "你好"),
        ("What time is it?", "What time is it?"),
        (" 好 。", "好 。"),
        ("。", ""),
        ("...", ""),
        ("", ""),
        ("I'M FINE", "i'm fine"),
    ],
)
def test_words_are_written_as_people_write_them(heard: str, written: str):
    assert words_of(heard) == written


def test_the_script_tells_the_language():
    assert [language_of(text) for text in ("你好", "hello 你", "hello", "")] == ["zh", "zh", "en", ""]


def test_silence_is_what_is_short_or_faint():
    assert is_silent(b"")
    assert is_silent(bytes(BYTES_A_SECOND))
    assert is_silent(noise(1, loudness=5))
    assert is_silent(noise(0.05, loudness=3_000))
    assert not is_silent(noise(1, loudness=300))


def test_half_a_sample_is_dropped():
    assert samples_of(b"\x00\x40\x01").tolist() == [0.5]


@given(st.integers(0, 4 * WINDOW_BYTES // BYTES_A_SECOND))
def test_windows_are_the_whole_sound_in_order(seconds: int):
    pcm = bytes(seconds * BYTES_A_SECOND)
    parts = list(windows(pcm))
    assert b"".join(parts) == pcm
    assert all(len(part) <= WINDOW_BYTES for part in parts)
    assert all(len(part) % 2 == 0 for part in parts)


def test_a_cut_falls_where_it_is_quiet():
    loud, quiet = noise(26, loudness=3_000), bytes(BYTES_A_SECOND // 2)
    pcm = loud + quiet + noise(10, loudness=3_000)
    first, second = windows(pcm)
    assert len(loud) < len(first) < len(loud) + len(quiet)
    assert first + second == pcm
