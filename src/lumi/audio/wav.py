"""Sound files: WAV of any common kind in, WAV of 16-bit PCM out; headerless PCM where the rate is given.

The RIFF chunks are read here, since the standard library's `wave` knows neither floating point nor, before Python 3.12,
the extensible header that most programs write.
"""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lumi.audio.format import BYTES_PER_SAMPLE, duration_ms
from lumi.errors import AudioFileError

MAX_FILE_BYTES: Final = 512 * 1024 * 1024

_PCM = 0x0001
_FLOAT = 0x0003
_EXTENSIBLE = 0xFFFE
_ACCEPTED = "accepted: WAV with 8, 16, 24 or 32-bit PCM or 32 or 64-bit float"

_SIGNED_FROM_UNSIGNED = bytes((value + 128) % 256 for value in range(256))


@dataclass(frozen=True, slots=True)
class Sound:
    """Mono 16-bit PCM and its rate."""

    pcm: bytes
    rate_hz: int

    @property
    def duration_s(self) -> float:
        return duration_ms(self.pcm, self.rate_hz) / 1000


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the `fmt ` chunk says."""

    code: int
    channels: int
    rate_hz: int
    bits: int


def read_wav(path: Path, *, raw_rate_hz: int | None = None) -> Sound:
    """Read a sound file and mix it down to mono.

    Args:
        path: a WAV file, or headerless signed 16-bit little-endian mono PCM.
        raw_rate_hz: the rate of headerless PCM; without it the file must be a WAV.

    Raises:
        AudioFileError: names the file, what is wrong with it and what is accepted.
    """
    data = _read(path)
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _parse(path, data)
    if raw_rate_hz is None:
        raise AudioFileError(f"{path}: not a WAV file; {_ACCEPTED} (for headerless PCM give its sample rate)")
    if raw_rate_hz <= 0:
        raise AudioFileError(f"{path}: {raw_rate_hz} Hz is no sample rate")
    return Sound(data[: len(data) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE], raw_rate_hz)


def write_wav(path: Path, pcm: bytes, rate_hz: int) -> None:
    """Write mono 16-bit PCM as a WAV file.

    Raises:
        AudioFileError: the file cannot be written.
    """
    try:
        with path.open("wb") as raw, wave.open(raw, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(BYTES_PER_SAMPLE)
            file.setframerate(rate_hz)
            file.writeframes(pcm)
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be written ({error.strerror or error})") from error


def wav_bytes(pcm: bytes, rate_hz: int) -> bytes:
    """Mono 16-bit PCM as a WAV file in memory."""
    raw = io.BytesIO()
    with wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(BYTES_PER_SAMPLE)
        file.setframerate(rate_hz)
        file.writeframes(pcm)
    return raw.getvalue()


@dataclass(frozen=True, slots=True)
class WavHeader:
    """What is known of a WAV stream once its sound begins."""

    layout: _Layout
    sound_at: int
    """Bytes before the sound."""

    @property
    def rate_hz(self) -> int:
        return self.layout.rate_hz

    @property
    def frame_bytes(self) -> int:
        """Of one sample of all channels."""
        return self.layout.bits // 8 * self.layout.channels

    def to_mono(self, frames: bytes) -> bytes:
        """Whole frames as mono 16-bit PCM."""
        return _to_mono(self.layout, frames)


def read_header(data: bytes) -> WavHeader | None:
    """The header of a WAV stream whose beginning is `data`; None while it has not come whole.

    Raises:
        AudioFileError: it is broken, or of a kind that is not read here.
    """
    layout: _Layout | None = None
    position = 12
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        if name == b"data":
            if layout is None:
                raise AudioFileError("a WAV stream without format: it is damaged")
            return WavHeader(layout, position + 8)
        if name == b"fmt " and position + 8 + size <= len(data):
            layout = _layout("the stream", data[position + 8 : position + 8 + size])
        position += 8 + size + size % 2
    return None


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise AudioFileError(f"{path}: larger than {MAX_FILE_BYTES // 1024 // 1024} MB")
        return path.read_bytes()
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be read ({error.strerror or error})") from error


def _parse(path: Path, data: bytes) -> Sound:
    layout: _Layout | None = None
    for name, body in _chunks(data):
        if name == b"fmt ":
            layout = _layout(path, body)
        elif name == b"data" and layout is not None:
            return Sound(_to_mono(layout, body), layout.rate_hz)
    missing = "sound" if layout else "format"
    raise AudioFileError(f"{path}: a WAV file without {missing}: it is damaged or cut off")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """RIFF chunks; one that claims more than there is (a stream's header, a cut file) has what is there."""
    position = 12
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        if name == b"data" and size == 0:
            size = len(data)  # written by a program that could not come back to fill it in
        body = data[position + 8 : position + 8 + size]
        yield name, body
        position += 8 + size + size % 2


def _layout(path: Path | str, body: bytes) -> _Layout:
    if len(body) < 16:
        raise AudioFileError(f"{path}: a WAV file with a broken header")
    code, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if code == _EXTENSIBLE and len(body) >= 26:
        (code,) = struct.unpack_from("<H", body, 24)
    if (code, bits) not in _TO_16_BIT:
        raise AudioFileError(f"{path}: WAV format {code} with {bits} bits cannot be read; {_ACCEPTED}")
    if channels == 0 or rate_hz == 0:
        raise AudioFileError(f"{path}: a WAV file with {channels} channels at {rate_hz} Hz makes no sense")
    return _Layout(code, channels, rate_hz, bits)


def _to_mono(layout: _Layout, body: bytes) -> bytes:
    frame_bytes = layout.bits // 8 * layout.channels
    body = body[: len(body) // frame_bytes * frame_bytes]
    pcm = _TO_16_BIT[layout.code, layout.bits](body)
    if layout.channels == 1:
        return pcm
    samples = struct.unpack(f"<{len(pcm) // BYTES_PER_SAMPLE}h", pcm)
    by_channel = [samples[channel :: layout.channels] for channel in range(layout.channels)]
    mono = [sum(frame) // layout.channels for frame in zip(*by_channel, strict=True)]
    return struct.pack(f"<{len(mono)}h", *mono)


def _from_8_bit(body: bytes) -> bytes:
    pcm = bytearray(len(body) * 2)
    pcm[1::2] = body.translate(_SIGNED_FROM_UNSIGNED)
    return bytes(pcm)


def _upper_half(width: int) -> Callable[[bytes], bytes]:
    def convert(body: bytes) -> bytes:
        pcm = bytearray(len(body) // width * 2)
        pcm[0::2] = body[width - 2 :: width]
        pcm[1::2] = body[width - 1 :: width]
        return bytes(pcm)

    return convert


def _from_float(letter: str) -> Callable[[bytes], bytes]:
    def convert(body: bytes) -> bytes:
        count = len(body) // struct.calcsize(f"<{letter}")
        values = struct.unpack(f"<{count}{letter}", body)
        # `min` and `max` in this order also turn a NaN into a number.
        return struct.pack(
            f"<{count}h", *(int(max(-32768.0, min(32767.0, value * 32768))) for value in values)
        )

    return convert


_TO_16_BIT: dict[tuple[int, int], Callable[[bytes], bytes]] = {
    (_PCM, 8): _from_8_bit,
    (_PCM, 16): bytes,
    (_PCM, 24): _upper_half(3),
    (_PCM, 32): _upper_half(4),
    (_FLOAT, 32): _from_float("f"),
    (_FLOAT, 64): _from_float("d"),
}
