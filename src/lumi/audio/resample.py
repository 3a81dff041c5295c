"""Changes the sample rate of a stream, and cuts streams into frames of one size.

numpy and soxr are loaded when they are first needed: they take longer than all else that a server does to start.
"""

from __future__ import annotations

from typing import Any

from lumi.audio.format import BYTES_PER_SAMPLE


class Resampler:
    """Resamples one mono stream piece by piece; equal rates pass through untouched.

    Pieces may be of any length, even half a sample; what comes out is of uneven length and a few ms behind.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self.from_hz = from_hz
        self.to_hz = to_hz
        self._half = b""
        self._stream: Any = None if from_hz == to_hz else _soxr_stream(from_hz, to_hz)

    def push(self, pcm: bytes, *, last: bool = False) -> bytes:
        """Resample a piece; `last` gives the rest of the stream, and the next piece starts a new one."""
        whole = len(self._half) + len(pcm) & ~1
        pcm = self._half + pcm
        self._half = b"" if last else pcm[whole:]
        if self._stream is None:
            return pcm[:whole]
        import numpy as np

        samples = np.frombuffer(pcm, np.int16, whole // BYTES_PER_SAMPLE)
        resampled: bytes = self._stream.resample_chunk(samples, last=last).tobytes()
        if last:
            self._stream.clear()
        return resampled

    def reset(self) -> None:
        """Forget what was pushed."""
        self._half = b""
        if self._stream is not None:
            self._stream.clear()


def _soxr_stream(from_hz: int, to_hz: int) -> Any:
    import soxr

    return soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16")


class Reframer:
    """A FIFO that takes bytes of any length and gives frames of one length."""

    def __init__(self, frame_bytes: int) -> None:
        self._frame_bytes = frame_bytes
        self._rest = b""

    @property
    def rest_bytes(self) -> int:
        """What waits for more."""
        return len(self._rest)

    def push(self, pcm: bytes, *, last: bool = False) -> list[bytes]:
        """Whole frames; `last` fills the rest up with silence."""
        data = self._rest + pcm
        size = self._frame_bytes
        if last and len(data) % size:
            data += bytes(size - len(data) % size)
        whole = len(data) // size * size
        self._rest = data[whole:]
        return [data[start : start + size] for start in range(0, whole, size)]

    def reset(self) -> None:
        """Drop what waits."""
        self._rest = b""


def mix_down(pcm: bytes, channels: int) -> bytes:
    """Interleaved 16-bit PCM of several channels to mono: their mean. A torn last sample is dropped."""
    if channels == 1:
        return pcm
    import numpy as np

    usable = len(pcm) // (BYTES_PER_SAMPLE * channels) * channels
    samples = np.frombuffer(pcm, np.int16, usable).reshape(-1, channels)
    mono: bytes = samples.mean(axis=1).astype(np.int16).tobytes()
    return mono
