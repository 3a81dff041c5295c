"""Sound files of every kind that people have."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audio.sounds import samples, tone

from lumi.audio import wav
from lumi.audio.wav import read_wav, write_wav
from lumi.errors import AudioFileError

VALUES = (0, 16_384, -16_384, 32_512, -32_768)
"""Multiples of 128, which 8 bits can say too."""


def riff(fmt: bytes, data: bytes, *, size: int | None = None, before: bytes = b"") -> bytes:
    body = b"fmt " + struct.pack("<I", len(fmt)) + fmt + before
    body += b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def fmt(code: int, bits: int, channels: int = 1, rate_hz: int = 16_000) -> bytes:
    block = channels * bits // 8
    return struct.pack("<HHIIHH", code, channels, rate_hz, rate_hz * block, block, bits)


def extensible(code: int, bits: int) -> bytes:
    return fmt(0xFFFE, bits) + struct.pack("<HHIH", 22, bits, 4, code) + bytes(14)


def packed(bits: int) -> bytes:
    if bits == 8:
        return bytes(value // 256 + 128 for value in VALUES)
    return b"".join((value << (bits - 16)).to_bytes(bits // 8, "little", signed=True) for value in VALUES)


FLOATS = [value / 32768 for value in VALUES]
KINDS = {
    "8 bits": riff(fmt(1, 8), packed(8)),
    "16 bits": riff(fmt(1, 16), packed(16)),
    "24 bits": riff(fmt(1, 24), packed(24)),
    "32 bits": riff(fmt(1, 32), packed(32)),
    "float": riff(fmt(3, 32), struct.pack("<5f", *FLOATS)),
    "double": riff(fmt(3, 64), struct.pack("<5d", *FLOATS)),
    "extensible": riff(extensible(1, 16), packed(16)),
    "extensible float": riff(extensible(3, 32), struct.pack("<5f", *FLOATS)),
    "other chunks": riff(fmt(1, 16), packed(16), before=b"LIST\x03\x00\x00\x00abc\x00"),
    "size of a stream": riff(fmt(1, 16), packed(16), size=0xFFFFFFFF),
    "size never written": riff(fmt(1, 16), packed(16), size=0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_reads(kind, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(KINDS[kind])
    sound = read_wav(path)
    assert samples(sound.pcm) == VALUES
    assert sound.rate_hz == 16_000


def test_floats_beyond_full_scale_are_clipped(tmp_path):
    path = tmp_path / "loud.wav"
    path.write_bytes(riff(fmt(3, 32), struct.pack("<4f", 2.0, -2.0, float("inf"), float("-inf"))))
    assert samples(read_wav(path).pcm) == (32767, -32768, 32767, -32768)


def test_channels_are_mixed_down(tmp_path):
    path = tmp_path / "stereo.wav"
    path.write_bytes(riff(fmt(1, 16, channels=2), struct.pack("<5h", 100, 300, -5, 5, 7)))
    assert samples(read_wav(path).pcm) == (200, 0)


def test_a_file_cut_off_gives_what_is_there(tmp_path):
    path = tmp_path / "cut.wav"
    path.write_bytes(KINDS["16 bits"][:-3])
    assert samples(read_wav(path).pcm) == VALUES[:3]


def test_written_files_read_back(tmp_path):
    path = tmp_path / "a.wav"
    write_wav(path, tone(100, 24_000), 24_000)
    sound = read_wav(path)
    assert sound.pcm == tone(100, 24_000)
    assert sound.rate_hz == 24_000
    assert sound.duration_s == pytest.approx(0.1)


def test_headerless_pcm_needs_its_rate(tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(b"abcde")
    sound = read_wav(path, raw_rate_hz=8_000)
    assert (sound.pcm, sound.rate_hz) == (b"abcd", 8_000)
    with pytest.raises(AudioFileError, match=r"a\.raw: not a WAV file; accepted: .* give its sample rate"):
        read_wav(path)
    with pytest.raises(AudioFileError, match="0 Hz is no sample rate"):
        read_wav(path, raw_rate_hz=0)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (riff(fmt(85, 16), b"mp3"), "WAV format 85 with 16 bits cannot be read; accepted"),
        (riff(fmt(1, 12), b"abc"), "12 bits cannot be read"),
        (riff(fmt(1, 16, channels=0), b"ab"), "0 channels at 16000 Hz makes no sense"),
        (riff(fmt(1, 16, rate_hz=0), b"ab"), "1 channels at 0 Hz"),
        (riff(b"short", b"ab"), "broken header"),
        (KINDS["16 bits"][:36], "without sound"),
        (b"RIFF\x04\x00\x00\x00WAVE", "without format"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line_with_the_files_name(data, problem, tmp_path):
    path = tmp_path / "odd.wav"
    path.write_bytes(data)
    with pytest.raises(AudioFileError, match=problem) as caught:
        read_wav(path)
    assert "odd.wav" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there_or_cannot_be_written(tmp_path):
    with pytest.raises(AudioFileError, match=r"cannot be read.*No such file"):
        read_wav(tmp_path / "none.wav")
    with pytest.raises(AudioFileError, match=r"cannot be written.*No such file"):
        write_wav(tmp_path / "none" / "a.wav", b"", 16_000)


def test_a_file_too_large_is_not_even_read(tmp_path, monkeypatch):
    monkeypatch.setattr(wav, "MAX_FILE_BYTES", 1024 * 1024)
    path = tmp_path / "large.wav"
    path.write_bytes(bytes(1024 * 1024 + 1))
    with pytest.raises(AudioFileError, match="larger than 1 MB"):
        read_wav(path)


@given(st.binary(max_size=200), st.integers(0, 60))
def test_junk_never_does_more_than_raise_the_named_error(tmp_path_factory, junk, kept):
    path = tmp_path_factory.getbasetemp() / "junk.wav"
    path.write_bytes(KINDS["16 bits"][:kept] + junk)
    with contextlib.suppress(AudioFileError):
        assert len(read_wav(path).pcm) % 2 == 0
