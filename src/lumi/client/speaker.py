"""The loudspeaker: takes PCM at one rate and plays it as the sound card asks for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from typing import Any, Self

from lumi.audio.format import BYTES_PER_SAMPLE, duration_ms
from lumi.client.audio_device import open_device

BUFFER_MS = 60
MAX_BUFFER_S = 30
"""More than this and the oldest is dropped: a server that paces never gets near it."""


class Speaker:
    """Plays s16le mono PCM at `rate_hz` while its `async with` block runs.

    Raises (on entering):
        AudioDeviceError: no loudspeaker, or the sound library is missing; says what to do.
    """

    def __init__(self, rate_hz: int = 16_000, *, null: bool = False) -> None:
        self.rate_hz = rate_hz
        self.dropped_ms = 0.0
        self._null = null
        self._buffer = bytearray()
        # The sound library's thread reads what the loop writes.
        self._lock = threading.Lock()
        self._played_bytes = 0
        self._device: Any = None

    async def __aenter__(self) -> Self:
        device = open_device(
            "PlaybackDevice", null=self._null, sample_rate=self.rate_hz, buffersize_msec=BUFFER_MS
        )
        callback = self._callback()
        next(callback)
        device.start(callback)
        self._device = device
        return self

    async def __aexit__(self, *_exc: object) -> None:
        device, self._device = self._device, None
        await asyncio.get_running_loop().run_in_executor(None, device.close)

    @property
    def waiting_ms(self) -> float:
        """Sound not yet played."""
        return len(self._buffer) * 1000 / (BYTES_PER_SAMPLE * self.rate_hz)

    @property
    def played_ms(self) -> float:
        """Sound the card has taken, since the start."""
        return self._played_bytes * 1000 / (BYTES_PER_SAMPLE * self.rate_hz)

    def write(self, pcm: bytes) -> None:
        """Play `pcm` after what waits already."""
        room = MAX_BUFFER_S * self.rate_hz * BYTES_PER_SAMPLE
        with self._lock:
            self._buffer += pcm
            excess = len(self._buffer) - room
            if excess > 0:
                del self._buffer[:excess]
                self.dropped_ms += duration_ms(bytes(excess), self.rate_hz)

    def clear(self) -> None:
        """Fall silent at once."""
        with self._lock:
            self._buffer.clear()

    async def drain(self) -> None:
        """Return when all that was written has been played: the card takes it in real time."""
        await asyncio.sleep((self.waiting_ms + BUFFER_MS) / 1000)

    def _callback(self) -> Generator[bytes, int, None]:
        """Runs in the sound library's thread; silence where there is nothing to play."""
        frames = yield b""
        while True:
            wanted = frames * BYTES_PER_SAMPLE
            with self._lock:
                piece = bytes(self._buffer[:wanted])
                del self._buffer[:wanted]
                self._played_bytes += len(piece)
            frames = yield piece.ljust(wanted, b"\0")
