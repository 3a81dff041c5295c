from __future__ import annotations

import struct
from itertools import pairwise

import pytest

from lumi.audio.sound_stream import Container, container_of, open_stream
from lumi.audio.wav import wav_bytes
from lumi.errors import AudioFileError, CorruptAudio
from lumi.testing import tone
from lumi.testing.openai_sound import encoded
from lumi.testing.sounds import loudness, peak

RATE_HZ = 24_000
SOUND = tone(1_000, RATE_HZ)


def decoded(container: Container, data: bytes, size: int, rate_hz: int = RATE_HZ) -> bytes:
    stream = open_stream(container, rate_hz)
    pieces = [stream.push(data[at : at + size]) for at in range(0, len(data), size)]
    pieces.append(stream.finish())
    assert all(len(piece) % 2 == 0 for piece in pieces)
    return b"".join(pieces)


def crossings(pcm: bytes) -> int:
    """How often the sign changes: twice for each period of a tone."""
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    return sum((a < 0) != (b < 0) for a, b in pairwise(samples))


@pytest.mark.parametrize("size", [1, 333, 4_096, 1 << 20])
@pytest.mark.parametrize("container", [Container.PCM, Container.WAV])
def test_sound_without_loss_comes_out_as_it_was(container: Container, size: int) -> None:
    assert decoded(container, encoded(SOUND, RATE_HZ, container), size) == SOUND


@pytest.mark.parametrize("size", [97, 1_000, 1 << 20])
@pytest.mark.parametrize("container", [Container.MP3, Container.OPUS])
@pytest.mark.parametrize("rate_hz", [16_000, RATE_HZ])
def test_packed_sound_comes_out_as_loud_as_long_and_as_high(
    container: Container, size: int, rate_hz: int
) -> None:
    pcm = decoded(container, encoded(SOUND, RATE_HZ, container), size, rate_hz)
    assert abs(len(pcm) / 2 / rate_hz - 1.0) < 0.12
    middle = pcm[len(pcm) // 4 & ~1 : len(pcm) * 3 // 4 & ~1]
    assert abs(loudness(middle) / loudness(SOUND) - 1) < 0.1
    assert abs(crossings(middle) / (len(middle) / 2 / rate_hz) - 880) < 20


@pytest.mark.parametrize("container", [Container.MP3, Container.OPUS])
def test_sound_comes_before_the_stream_has_ended(container: Container) -> None:
    data = encoded(tone(4_000, RATE_HZ), RATE_HZ, container)
    assert peak(open_stream(container, RATE_HZ).push(data[: len(data) // 2])) > 4_000


def test_a_wav_of_another_kind_is_turned_into_the_wanted_one() -> None:
    stereo = b"".join(sample * 2 for sample in struct.unpack("2s" * 8_000, tone(1_000, 8_000)))
    header = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 0, b"WAVE", b"fmt ", 16, 1, 2, 8_000, 32_000, 4, 16)
    data = header + struct.pack("<4sI", b"LIST", 3) + b"odd\0" + struct.pack("<4sI", b"data", 0xFFFFFFFF)
    pcm = decoded(Container.WAV, data + stereo, 999)
    assert abs(len(pcm) / 2 / RATE_HZ - 1) < 0.01
    assert abs(crossings(pcm) - 880) < 5


def test_raw_sound_of_another_rate_is_resampled() -> None:
    stream = open_stream(Container.PCM, RATE_HZ, raw_rate_hz=48_000)
    pcm = stream.push(tone(500, 48_000)) + stream.finish()
    assert abs(len(pcm) / 2 / RATE_HZ - 0.5) < 0.01


@pytest.mark.parametrize("container", [Container.WAV, Container.MP3, Container.OPUS])
def test_a_stream_without_sound_is_an_error(container: Container) -> None:
    with pytest.raises(CorruptAudio):
        open_stream(container, RATE_HZ).finish()


def test_streams_that_are_something_else_are_errors() -> None:
    with pytest.raises(CorruptAudio):
        decoded(Container.MP3, b"<html>no sound here</html>" * 50, 100)
    with pytest.raises(CorruptAudio):
        decoded(Container.OPUS, b"OggS" + bytes(22) + bytes([1, 9]) + b"Not Opus!", 5)
    with pytest.raises(AudioFileError):
        decoded(Container.WAV, b"RIFF    WAVE" + struct.pack("<4sI", b"data", 5), 100)
    with pytest.raises(AudioFileError, match="does not end"):
        decoded(Container.WAV, b"RIFF    WAVE" + struct.pack("<4sI", b"junk", 1 << 30) + bytes(70_000), 4_096)


def test_a_broken_packet_costs_only_itself() -> None:
    data = bytearray(encoded(SOUND, RATE_HZ, Container.MP3))
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    assert len(decoded(Container.MP3, bytes(data), 500)) > len(SOUND) * 0.7


@pytest.mark.parametrize("container", Container)
def test_a_container_is_told_by_its_first_bytes(container: Container) -> None:
    head = encoded(SOUND, RATE_HZ, container)[:12]
    assert container_of(head, Container.PCM) is container
    assert container_of(b"\x00\x01", container) is container


def test_wav_bytes_are_a_wav() -> None:
    assert decoded(Container.WAV, wav_bytes(SOUND, RATE_HZ), 1_000) == SOUND
