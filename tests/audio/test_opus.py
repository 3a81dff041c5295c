"""The Opus binding, against the real library."""

from __future__ import annotations

import contextlib
import ctypes.util
import gc
import importlib.metadata
import math
import random
import struct
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.audio import libopus, opus
from lumi.audio.format import AudioFormat
from lumi.audio.opus import (
    FRAME_DURATIONS_MS,
    MAX_PACKET_BYTES,
    MIN_PACKET_BYTES,
    SAMPLE_RATES_HZ,
    OpusDecoder,
    OpusEncoder,
)
from lumi.errors import AudioError, CorruptAudio, OpusUnavailable


def tone(audio: AudioFormat, frames: int = 1, hz: float = 400) -> bytes:
    count = audio.frame_samples * frames
    values = (int(9000 * math.sin(2 * math.pi * hz * n / audio.sample_rate_hz)) for n in range(count))
    return struct.pack(f"<{count * audio.channels}h", *(v for v in values for _ in range(audio.channels)))


def frames(pcm: bytes, audio: AudioFormat) -> list[bytes]:
    return [pcm[start : start + audio.frame_bytes] for start in range(0, len(pcm), audio.frame_bytes)]


def loudness(pcm: bytes) -> float:
    values = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    return math.sqrt(sum(value * value for value in values) / len(values))


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("frame_ms", FRAME_DURATIONS_MS)
def test_a_tone_survives_at_every_rate_and_frame_length(rate_hz, frame_ms):
    audio = AudioFormat(sample_rate_hz=rate_hz, frame_ms=frame_ms)
    encoder, decoder = OpusEncoder(audio), OpusDecoder(audio)
    packets = [encoder.encode(frame) for frame in frames(tone(audio, 10), audio)]
    assert all(MIN_PACKET_BYTES <= len(packet) <= MAX_PACKET_BYTES for packet in packets)
    heard = [decoder.decode(packet) for packet in packets]
    assert {len(pcm) for pcm in heard} == {audio.frame_bytes}
    assert loudness(heard[-1]) == pytest.approx(9000 / math.sqrt(2), rel=0.2)


def test_decodes_at_another_rate_than_it_was_encoded_at():
    sent, heard = AudioFormat(sample_rate_hz=24_000), AudioFormat(sample_rate_hz=16_000)
    encoder, decoder = OpusEncoder(sent), OpusDecoder(heard)
    pcm = b"".join(decoder.decode(encoder.encode(frame)) for frame in frames(tone(sent, 10), sent))
    assert len(pcm) == 10 * heard.frame_bytes
    crossings = sum(
        a < 0 <= b
        for a, b in zip(*(struct.unpack(f"<{len(pcm) // 2}h", pcm)[i:] for i in (0, 1)), strict=False)
    )
    assert crossings == pytest.approx(0.6 * 400, abs=5)


def test_stereo():
    audio = AudioFormat(channels=2)
    packet = OpusEncoder(audio).encode(tone(audio))
    assert len(OpusDecoder(audio).decode(packet)) == audio.frame_bytes
    assert len(OpusDecoder(AudioFormat()).decode(packet)) == AudioFormat().frame_bytes


def test_short_packets_are_padded_and_still_decode():
    audio = AudioFormat(frame_ms=20)
    encoder, decoder = OpusEncoder(audio, bitrate_bps=500), OpusDecoder(audio)
    packets = [encoder.encode(bytes(audio.frame_bytes)) for _ in range(20)]
    assert {len(packet) for packet in packets} == {MIN_PACKET_BYTES}
    assert len(decoder.decode(packets[-1])) == audio.frame_bytes


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000, 48_000])
def test_no_packet_is_longer_than_a_client_takes(rate_hz):
    audio = AudioFormat(sample_rate_hz=rate_hz, frame_ms=60)
    encoder = OpusEncoder(audio, bitrate_bps=510_000)
    noise = random.Random(1)
    packets = [encoder.encode(noise.randbytes(audio.frame_bytes)) for _ in range(5)]
    assert max(map(len, packets)) <= 1000


def test_a_packet_of_one_byte_is_silence():
    audio = AudioFormat()
    assert loudness(OpusDecoder(audio).decode(b"\x58")) < 10


@pytest.mark.parametrize("packet", [b"", b"\xff", b"\xff\xff\xff", b"\x03\x00"])
def test_what_is_not_opus_is_corrupt_audio(packet):
    with pytest.raises(CorruptAudio, match="not Opus"):
        OpusDecoder(AudioFormat()).decode(packet)


@given(st.binary(max_size=1500))
def test_junk_never_does_more_than_raise_corrupt_audio(packet):
    audio = AudioFormat()
    decoder = OpusDecoder(audio)
    with contextlib.suppress(CorruptAudio):
        assert len(decoder.decode(packet)) <= audio.frame_bytes * 2
    assert len(decoder.decode(OpusEncoder(audio).encode(tone(audio)))) == audio.frame_bytes


def test_a_lost_packet_is_hidden_by_the_sound_before_it_fading():
    audio = AudioFormat()
    encoder, decoder = OpusEncoder(audio), OpusDecoder(audio)
    for frame in frames(tone(audio, 5), audio):
        before = decoder.decode(encoder.encode(frame))
    hidden = [decoder.conceal() for _ in range(10)]
    assert {len(pcm) for pcm in hidden} == {audio.frame_bytes}
    assert loudness(hidden[0]) > loudness(before) / 4
    assert loudness(hidden[-1]) < loudness(before) / 4


def test_reset_starts_a_new_stream():
    audio = AudioFormat()
    encoder, decoder = OpusEncoder(audio), OpusDecoder(audio)
    pcm = tone(audio)
    first = encoder.encode(pcm)
    encoder.encode(pcm)
    encoder.reset()
    assert encoder.encode(pcm) == first
    once = decoder.decode(first)
    decoder.reset()
    assert decoder.decode(first) == once


def test_a_frame_of_another_length_is_refused():
    with pytest.raises(AudioError, match="takes 1920 bytes of PCM, not 5"):
        OpusEncoder(AudioFormat()).encode(b"12345")


@pytest.mark.parametrize(
    ("audio", "problem"),
    [
        (AudioFormat(sample_rate_hz=44_100), "no sample rate 44100 Hz"),
        (AudioFormat(channels=3), "1 or 2 channels here, not 3"),
        (AudioFormat(frame_ms=50), "not 50"),
    ],
)
@pytest.mark.parametrize("kind", [OpusEncoder, OpusDecoder])
def test_formats_that_opus_does_not_have_are_named(kind, audio, problem):
    with pytest.raises(AudioError, match=problem):
        kind(audio)


def test_a_setting_out_of_range_is_refused():
    with pytest.raises(AudioError, match="= 11: invalid argument"):
        OpusEncoder(AudioFormat(), complexity=11)


def test_complexity_changes_in_the_middle_of_a_stream():
    audio = AudioFormat()
    encoder, decoder = OpusEncoder(audio, complexity=0), OpusDecoder(audio)
    encoder.encode(tone(audio))
    encoder.set_complexity(10)
    assert len(decoder.decode(encoder.encode(tone(audio)))) == audio.frame_bytes


def test_closing_twice_and_dropping_are_safe():
    encoder, decoder = OpusEncoder(AudioFormat()), OpusDecoder(AudioFormat())
    encoder.close()
    encoder.close()
    decoder.close()
    decoder.close()
    OpusEncoder(AudioFormat())
    gc.collect()


def test_threads_code_at_once():
    audio = AudioFormat()
    rng = random.Random(1)
    pcm = struct.pack(
        f"<{audio.frame_samples}h", *(rng.randrange(-5000, 5000) for _ in range(audio.frame_samples))
    )
    results: dict[int, list[bytes]] = {}

    def work(number: int) -> None:
        encoder = OpusEncoder(audio)
        results[number] = [encoder.encode(pcm) for _ in range(10)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(results[number] == results[0] for number in range(4))


def test_without_a_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(libopus, "candidate_paths", lambda: iter(["/nowhere/libopus.so", "libc.so.6"]))
    with pytest.raises(OpusUnavailable, match=r"apt install libopus0.*package av"):
        libopus.load_library.__wrapped__()


def test_looks_into_the_av_wheel_by_its_file_list(monkeypatch):
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: "found.so")
    paths = list(libopus.candidate_paths())
    assert paths[0] == "libopus.so.0"
    assert paths[-1] == "found.so"
    assert any("av.libs" in path or ".dylibs" in path for path in paths)

    def missing(_):
        raise importlib.metadata.PackageNotFoundError("av")

    monkeypatch.setattr(importlib.metadata, "files", missing)
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    assert not any("av.libs" in path for path in libopus.candidate_paths())


@pytest.mark.real
def test_needs_neither_numpy_nor_av():
    code = (
        "import sys, lumi.audio.opus as o, lumi.audio.wav, lumi.audio.jitter; o.OpusEncoder(o.AudioFormat()); "
        "sys.exit(bool({'numpy', 'av', 'soxr'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class _Broken:
    """A library whose every call fails."""

    def opus_strerror(self, status: int) -> bytes:
        return b"out of memory"

    def opus_encoder_create(self, *_: object) -> None:
        return None

    opus_decoder_create = opus_encoder_create

    def opus_encode(self, *_: object) -> int:
        return -7


@pytest.mark.parametrize("kind", [OpusEncoder, OpusDecoder])
def test_a_library_that_gives_nothing_is_told_in_its_own_words(kind, monkeypatch):
    monkeypatch.setattr(opus, "load_library", _Broken)
    with pytest.raises(AudioError, match="coder: out of memory"):
        kind(AudioFormat())


def test_an_encoder_that_fails_is_told_in_its_own_words(monkeypatch):
    encoder = OpusEncoder(AudioFormat())
    monkeypatch.setattr(encoder, "_library", _Broken())
    with pytest.raises(AudioError, match="encoder: out of memory"):
        encoder.encode(bytes(1920))
