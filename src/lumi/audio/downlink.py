"""The way down: PCM of a voice in, packets in the listener's format out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from lumi.audio.format import BYTES_PER_SAMPLE, AudioFormat, Codec
from lumi.audio.opus import OpusEncoder
from lumi.audio.resample import Reframer, Resampler
from lumi.errors import AudioError

FIRST_PIECE_MS: Final = 120
"""Encoded alone, so that the first packets are out before the rest of a sentence is looked at."""

PIECE_MS: Final = 300
"""Encoded in one go; between two pieces other sessions have their turn."""


class Encoder(Protocol):
    """One frame of PCM to one packet."""

    def encode(self, pcm: bytes) -> bytes: ...

    def set_complexity(self, complexity: int) -> None: ...

    def reset(self) -> None: ...

    def close(self) -> None: ...


class PcmEncoder:
    """For listeners without a codec: a packet is the frame itself."""

    def __init__(self, audio: AudioFormat) -> None:
        self._frame_bytes = audio.frame_bytes

    def encode(self, pcm: bytes) -> bytes:
        return pcm

    def set_complexity(self, complexity: int) -> None:
        """There is nothing to set."""

    def reset(self) -> None:
        """There is nothing to forget."""

    def close(self) -> None:
        """There is nothing to give back."""


_ENCODERS: dict[Codec, Callable[[AudioFormat], Encoder]] = {Codec.OPUS: OpusEncoder, Codec.PCM: PcmEncoder}


@dataclass(frozen=True, slots=True)
class Piece:
    """Some PCM to be encoded in one go. `fresh`: it starts a new stream."""

    pcm: bytes
    rate_hz: int
    last: bool
    fresh: bool
    complexity: int


class Mouth:
    """One downlink's encoder, resampler and unfinished frame. Touched by one thread at a time.

    The encoder (32 KB) is made when there is something to say.
    """

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._encoder: Encoder | None = None
        self._complexity: int | None = None
        self._resampler = Resampler(audio.sample_rate_hz, audio.sample_rate_hz)
        self._frames = Reframer(audio.frame_bytes)

    def encode(self, piece: Piece) -> list[bytes]:
        """The packets that `piece` completes."""
        encoder = self._ready(piece)
        if piece.rate_hz != self._resampler.from_hz:
            self._resampler = Resampler(piece.rate_hz, self._audio.sample_rate_hz)
        pcm = self._resampler.push(piece.pcm, last=piece.last)
        return [encoder.encode(frame) for frame in self._frames.push(pcm, last=piece.last)]

    def close(self) -> None:
        """Give the encoder back."""
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None

    def _ready(self, piece: Piece) -> Encoder:
        if self._encoder is None:
            self._encoder = _ENCODERS[self._audio.codec](self._audio)
            self._complexity = None
        elif piece.fresh:
            self._encoder.reset()
        if piece.fresh:
            self._resampler.reset()
            self._frames.reset()
        if piece.complexity != self._complexity:
            self._encoder.set_complexity(piece.complexity)
            self._complexity = piece.complexity
        return self._encoder


class Downlink:
    """One listener's encoder; made by `MediaPool.open_downlink`. One sentence at a time.

    Args:
        submit: starts a piece of work in the pool's threads.
        complexity: what the pool's encoders are set to now.
    """

    def __init__(
        self,
        audio: AudioFormat,
        submit: Callable[[Callable[[Piece], list[bytes]], Piece], asyncio.Future[list[bytes]]],
        complexity: Callable[[], int],
    ) -> None:
        if audio.channels != 1:
            raise AudioError(f"speech is sent with 1 channel, not {audio.channels}")
        self._mouth = Mouth(audio)
        self._submit = submit
        self._complexity = complexity
        self._job: asyncio.Future[list[bytes]] | None = None
        self._generation = 0
        self._fresh = False
        self._closed = False

    async def encode(self, pcm: bytes, rate_hz: int, *, last: bool = False) -> list[bytes]:
        """Encode mono PCM of any rate into whole packets; what does not fill one waits for the next call.

        `last` fills it up with silence. A `reset` or `close` meanwhile: no packets.

        Raises:
            AudioError: closed, or nothing can encode this format here.
        """
        packets: list[bytes] = []
        generation = self._generation
        async for piece in self.encode_stream(pcm, rate_hz, last=last):
            packets += piece
        return packets if generation == self._generation else []

    async def encode_stream(
        self, pcm: bytes, rate_hz: int, *, last: bool = False
    ) -> AsyncIterator[list[bytes]]:
        """As `encode`, but gives the packets as they are made: the first after some 120 ms of sound."""
        if self._closed:
            raise AudioError("the downlink is closed")
        generation = self._generation
        for part, is_last in _pieces(pcm, rate_hz, last=last):
            packets = await self._encode(part, rate_hz, last=is_last)
            if generation != self._generation:
                return
            if packets:
                yield packets

    def reset(self) -> None:
        """Forget the unfinished frame and whatever is being encoded: the next sentence starts a new stream."""
        self._generation += 1
        self._fresh = True

    def close(self) -> None:
        """Give the encoder back. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._generation += 1
        if self._job is None or self._job.done():
            self._mouth.close()
        else:
            self._job.add_done_callback(lambda _: self._mouth.close())

    async def _encode(self, pcm: bytes, rate_hz: int, *, last: bool) -> list[bytes]:
        generation = self._generation
        while self._job is not None and not self._job.done():
            await asyncio.wait({self._job})  # whoever waited for it was cancelled: the encoder is still busy
        if generation != self._generation:
            return []
        piece = Piece(pcm, rate_hz, last, self._fresh, self._complexity())
        self._fresh = False
        job = self._job = self._submit(self._mouth.encode, piece)
        job.add_done_callback(_notice)
        await asyncio.wait({job})
        return job.result()


def _notice(job: asyncio.Future[list[bytes]]) -> None:
    """Take note of a job's error also where the one who waited for it was cancelled."""
    if not job.cancelled():
        job.exception()


def _pieces(pcm: bytes, rate_hz: int, *, last: bool) -> Iterator[tuple[bytes, bool]]:
    """Cut PCM into pieces; tells of each whether the stream ends with it."""
    start, size = 0, FIRST_PIECE_MS * rate_hz // 1000 * BYTES_PER_SAMPLE
    while len(pcm) - start > size:
        yield pcm[start : start + size], False
        start, size = start + size, PIECE_MS * rate_hz // 1000 * BYTES_PER_SAMPLE
    yield pcm[start:], last
