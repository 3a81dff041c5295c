"""Wake words by a Wyoming server, e.g. Home Assistant's openWakeWord."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lumi.audio.format import BYTES_PER_SAMPLE, SPEECH_RATE_HZ
from lumi.audio.resample import Resampler
from lumi.engines.wake_repeats import WakeRepeats
from lumi.engines.wyoming_line import Patience, WyomingAddress, WyomingLine, connected
from lumi.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

NAME = "wyoming"
SETTLE_S = 1.0
"""How long the server may take to say what it heard last: one that heard something need not say that it is done."""


class WyomingWake:
    """The `Wake` seam over one connection for each stream.

    Args:
        base_url: `tcp://host:port` or `unix:///path`.
        model: names of the wake words, with commas between; by default all that the server listens for.
        timeout_s: how long the server may take nothing of what is sent.
        connect_s: how long connecting may take.

    Raises:
        ConfigError: `base_url` is no address.
    """

    name = NAME

    def __init__(
        self,
        base_url: str = "tcp://127.0.0.1:10400",
        model: str = "",
        timeout_s: float = 30.0,
        connect_s: float = 5.0,
    ) -> None:
        self._address = WyomingAddress.parse("wake.wyoming", base_url)
        self._names = [name.strip() for name in model.split(",") if name.strip()]
        self._patience = Patience(connect_s, timeout_s)

    async def detect(self, audio: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """See `engines.base.Wake`. Raises `EngineError`."""
        from wyoming.audio import AudioChunk, AudioStart, AudioStop
        from wyoming.wake import Detect

        whole = Resampler(SPEECH_RATE_HZ, SPEECH_RATE_HZ)  # whole samples
        repeats = WakeRepeats()
        async with connected(NAME, self._address, self._patience) as line:
            await line.send(Detect(self._names or None))
            await line.send(AudioStart(SPEECH_RATE_HZ, BYTES_PER_SAMPLE, 1))
            async for piece in audio:
                repeats.add(piece)
                await line.send(AudioChunk(SPEECH_RATE_HZ, BYTES_PER_SAMPLE, 1, whole.push(piece)))
                for name in _heard(line):
                    if repeats.is_new(name):
                        yield name
            await line.send(AudioStop())
            for name in await _last_heard(line):
                if repeats.is_new(name):
                    yield name

    async def aclose(self) -> None:
        """Nothing outlives a stream."""


def _heard(line: WyomingLine) -> Iterator[str]:
    """What the server has told by now."""
    while (event := line.poll()) is not None:
        if event.type == "detection":
            yield str(event.data.get("name") or "")


async def _last_heard(line: WyomingLine) -> list[str]:
    """What the server says after the end of the sound."""
    heard: list[str] = []
    try:
        async with asyncio.timeout(SETTLE_S):
            while (event := await line.receive()).type != "not-detected":
                if event.type == "detection":
                    heard.append(str(event.data.get("name") or ""))
    except (TimeoutError, EngineError):
        return heard  # it has hung up, or has nothing more to say
    return heard
