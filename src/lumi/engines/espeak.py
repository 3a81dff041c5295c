"""Speech by espeak-ng: Mandarin, Cantonese and English, without a model, a key or a network."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from lumi.engines.worker import WorkerSpec
from lumi.engines.worker_pool import WorkerPool
from lumi.engines.worker_speech import speech
from lumi.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lumi.engines.base import Voice

NAME = "espeak"


class EspeakTts:
    """The `Tts` seam over worker processes; the first `synthesize` (or `start`) starts them.

    Raises:
        EngineUnavailable: the espeak-ng library is not installed.
        ConfigError: `workers` is not at least one.
    """

    name = NAME
    sample_rate_hz = 22_050
    languages = ("en", "zh")
    voice_names = ("+f1", "+f2", "+f3", "+f4", "+m1", "+m3", "+m4", "+m7")
    """Variants, which speak every language; a voice of a language (`en-gb`) may be set in the settings."""

    def __init__(self, workers: int = 1) -> None:
        if importlib.util.find_spec("espeakng_loader") is None:
            raise EngineUnavailable(
                NAME, "its library is missing; install it with: pip install 'lumi-assistant[server]'"
            )
        self._pool = WorkerPool(WorkerSpec(NAME, "lumi.engines.espeak_worker:EspeakService"), workers)

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the worker processes that run now."""
        return self._pool.pids

    async def start(self) -> None:
        """Have the workers loaded before the first request."""
        await self._pool.start()

    async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        """PCM pieces of up to 190 ms; the first comes when the first clause is spoken. Raises `EngineError`."""
        async for piece in speech(self._pool, text, voice):
            yield piece

    async def aclose(self) -> None:
        await self._pool.aclose()
