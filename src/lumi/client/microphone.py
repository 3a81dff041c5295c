"""The microphone as an asynchronous iterator of PCM."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Generator
from typing import Any, Self

from lumi.audio.format import BYTES_PER_SAMPLE, SPEECH_RATE_HZ
from lumi.client.audio_device import open_device

FRAME_MS = 60
MAX_WAITING = 32
"""Pieces that may wait (2 s); beyond, the oldest is dropped and counted: late speech is worse than lost speech."""


class Microphone:
    """Records 16 kHz mono while its `async with` block runs: `async for pcm in microphone` gives 60 ms pieces.

    Raises (on entering):
        AudioDeviceError: no microphone, or the sound library is missing; says what to do.
    """

    rate_hz = SPEECH_RATE_HZ

    def __init__(self, *, null: bool = False) -> None:
        self.dropped = 0
        self._null = null
        self._pieces: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._device: Any = None

    async def __aenter__(self) -> Self:
        device = open_device(
            "CaptureDevice", null=self._null, sample_rate=self.rate_hz, buffersize_msec=FRAME_MS
        )
        callback = self._callback(asyncio.get_running_loop())
        next(callback)
        device.start(callback)
        self._device = device
        return self

    async def __aexit__(self, *_exc: object) -> None:
        device, self._device = self._device, None
        await asyncio.get_running_loop().run_in_executor(None, device.close)
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._device is None:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._pieces.popleft()

    def _callback(self, loop: asyncio.AbstractEventLoop) -> Generator[None, bytes, None]:
        """Runs in the sound library's thread: cuts 60 ms pieces and hands them to the loop."""
        piece_bytes = self.rate_hz * FRAME_MS // 1000 * BYTES_PER_SAMPLE
        rest = b""
        while True:
            rest += yield
            while len(rest) >= piece_bytes:
                piece, rest = rest[:piece_bytes], rest[piece_bytes:]
                if loop.is_closed():
                    return
                loop.call_soon_threadsafe(self._heard, piece)

    def _heard(self, piece: bytes) -> None:
        if len(self._pieces) >= MAX_WAITING:
            self._pieces.popleft()
            self.dropped += 1
        self._pieces.append(piece)
        self._news.set()
