"""Sound that comes over a line in a container, decoded as it comes: raw PCM, WAV, MP3, Ogg Opus to PCM of one rate.

MP3 and Opus are decoded by PyAV, which is loaded when the first such stream is opened (in a thread, please: it takes
longer than a turn can spare).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Protocol

from lumi.audio.ogg import OggPackets
from lumi.audio.resample import Resampler
from lumi.audio.wav import WavHeader, read_header
from lumi.errors import AudioFileError, CorruptAudio

SNIFFED_BYTES = 12
"""What it takes to tell one container from another."""

_LONGEST_HEADER_BYTES = 64 * 1024
_OPUS_RATE_HZ = 48_000
_OPUS_HEADERS = (b"OpusHead", b"OpusTags")


class Container(StrEnum):
    """How sound is packed."""

    PCM = "pcm"
    WAV = "wav"
    MP3 = "mp3"
    OPUS = "opus"


def container_of(head: bytes, asked: Container) -> Container:
    """What a stream that begins with `head` is. Services do not always send what they were asked for."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return Container.WAV
    if head[:4] == b"OggS":
        return Container.OPUS
    if head[:3] == b"ID3":
        return Container.MP3
    return asked


class Decoder(Protocol):
    """One stream. What comes out is mono s16le PCM of the rate that was asked for, in pieces of whole samples."""

    def push(self, data: bytes) -> bytes:
        """Decode a piece of any length. Raises `CorruptAudio`, `AudioFileError`."""
        ...

    def finish(self) -> bytes:
        """The rest. Raises `CorruptAudio` where there was nothing to decode at all."""
        ...


def open_stream(container: Container, rate_hz: int, *, raw_rate_hz: int | None = None) -> Decoder:
    """A decoder to PCM of `rate_hz`.

    Args:
        container: how the sound is packed.
        rate_hz: of what comes out.
        raw_rate_hz: of raw PCM, which does not say; by default `rate_hz`.
    """
    match container:
        case Container.PCM:
            return _Raw(raw_rate_hz or rate_hz, rate_hz)
        case Container.WAV:
            return _Wav(rate_hz)
        case Container.MP3:
            return _Mp3(rate_hz)
        case Container.OPUS:
            return _Opus(rate_hz)


class _Raw:
    """Chunks may end in the middle of a sample: the resampler keeps the half."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._resampler = Resampler(from_hz, to_hz)

    def push(self, data: bytes) -> bytes:
        return self._resampler.push(data)

    def finish(self) -> bytes:
        return self._resampler.push(b"", last=True)


class _Wav:
    """The header says rate, width and channels; the length it claims is not believed, a stream's is not known."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._buffer = b""
        self._header: WavHeader | None = None
        self._resampler: Resampler | None = None

    def push(self, data: bytes) -> bytes:
        self._buffer += data
        if self._header is None:
            self._header = read_header(self._buffer)
            if self._header is None:
                if len(self._buffer) > _LONGEST_HEADER_BYTES:
                    raise AudioFileError("a WAV stream without sound: its header does not end")
                return b""
            self._buffer = self._buffer[self._header.sound_at :]
            self._resampler = Resampler(self._header.rate_hz, self._rate_hz)
        whole = len(self._buffer) // self._header.frame_bytes * self._header.frame_bytes
        frames, self._buffer = self._buffer[:whole], self._buffer[whole:]
        assert self._resampler is not None
        return self._resampler.push(self._header.to_mono(frames))

    def finish(self) -> bytes:
        if self._resampler is None:
            raise CorruptAudio("a WAV stream that ended before its sound began")
        return self._resampler.push(b"", last=True)


class _Decoded:
    """PyAV's part: packets to frames to PCM."""

    def __init__(self, codec: str, rate_hz: int, header: bytes = b"") -> None:
        import av

        self._av = av
        self._codec: Any = av.CodecContext.create(codec, "r")
        if header:
            self._codec.extradata = header
        self._resampler: Any = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
        self._good = 0

    def parse(self, data: bytes | None) -> list[Any]:
        """Packets of a stream that has no container."""
        packets: list[Any] = self._codec.parse(data)
        return packets

    def decode(self, packets: list[Any]) -> bytes:
        """PCM of packets; one that cannot be decoded is left out, as a player does."""
        return b"".join(piece for packet in packets for piece in self._pcm(packet))

    def flush(self) -> bytes:
        rest = b"".join(self._pcm(None)) if self._good else b""
        if not self._good:
            raise CorruptAudio("a stream of sound without anything that can be decoded")
        return rest + b"".join(frame.to_ndarray().tobytes() for frame in self._resampler.resample(None))

    def packet(self, data: bytes) -> Any:
        return self._av.Packet(data)

    def _pcm(self, packet: Any) -> Iterator[bytes]:
        try:
            frames = self._codec.decode(packet)
        except self._av.FFmpegError:
            return
        for frame in frames:
            self._good += 1
            for resampled in self._resampler.resample(frame):
                yield resampled.to_ndarray().tobytes()


class _Mp3:
    def __init__(self, rate_hz: int) -> None:
        self._decoded = _Decoded("mp3", rate_hz)
        self._head: bytes | None = b""
        """What has come while it is not certain where the tag before the sound ends."""

    def push(self, data: bytes) -> bytes:
        if self._head is not None:
            data = self._head + data
            end = _tag_end(data)
            if end is None or len(data) < end:
                self._head = data
                return b""
            data, self._head = data[end:], None
        return self._decoded.decode(self._decoded.parse(data)) if data else b""

    def finish(self) -> bytes:
        rest = self._decoded.decode(self._decoded.parse(None))
        return rest + self._decoded.flush()


def _tag_end(data: bytes) -> int | None:
    """Where an ID3v2 tag ends (ID3v2.4, 3.1: its length in four times seven bits); None while that is unknown."""
    if not b"ID3".startswith(data[:3]):
        return 0
    if len(data) < 10:
        return None
    a, b, c, d = data[6:10]
    return 10 + (a << 21 | b << 14 | c << 7 | d)


class _Opus:
    """Opus in Ogg (RFC 7845): a header, tags, then sound of which the first `pre-skip` samples are not meant to be heard."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._ogg = OggPackets()
        self._decoded: _Decoded | None = None
        self._skip_bytes = 0

    def push(self, data: bytes) -> bytes:
        pcm = b""
        for packet in self._ogg.push(data):
            if packet.startswith(_OPUS_HEADERS):
                self._begin(packet)
            elif self._decoded is None:
                raise CorruptAudio("an Ogg stream that is not Opus")
            else:
                pcm += self._decoded.decode([self._decoded.packet(packet)])
        skipped = min(self._skip_bytes, len(pcm))
        self._skip_bytes -= skipped
        return pcm[skipped:]

    def _begin(self, packet: bytes) -> None:
        if packet.startswith(b"OpusHead") and len(packet) >= 19:
            (pre_skip,) = struct.unpack_from("<H", packet, 10)
            self._decoded = _Decoded("opus", self._rate_hz, packet)
            self._skip_bytes = 2 * (pre_skip * self._rate_hz // _OPUS_RATE_HZ)

    def finish(self) -> bytes:
        if self._decoded is None:
            raise CorruptAudio("an Ogg stream that ended before its sound began")
        return self._decoded.flush()
