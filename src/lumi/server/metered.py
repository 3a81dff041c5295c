"""Engines of a turn that count how long they work for its device, and those of a device that has used its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from lumi.engines.base import (
    Duplex,
    DuplexEvent,
    Llm,
    LlmEvent,
    Prompt,
    Speaker,
    Stt,
    Tools,
    Transcript,
    Tts,
    Voice,
)
from lumi.engines.streams import close
from lumi.errors import EngineTimeSpent
from lumi.server.engine_time import EngineTime
from lumi.server.kit import Kit

T = TypeVar("T")
Spend = Callable[[float], None]
Count = Callable[[str, float], None]
"""Of a kind of engine (`stt`, `llm`, `tts`, `duplex`): it has worked for so many seconds."""


class Metering:
    """Hands turns their engines.

    Args:
        time: what devices have used.
        count: told of all that is used.
        refused: told of every turn whose device has used its time.
    """

    def __init__(
        self,
        time: EngineTime | None = None,
        count: Count = lambda _kind, _seconds: None,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._time = EngineTime() if time is None else time
        self._count = count
        self._refused = refused

    def handed(self, kit: Kit, device_id: str) -> Kit:
        """The kit with engines that count; such as refuse, but for the voice, if the device has used its time."""
        loop, time = asyncio.get_running_loop(), self._time

        def spend(kind: str, seconds: float) -> None:
            time.spend(device_id, seconds, loop.time())
            self._count(kind, seconds)

        tts = MeteredTts(kit.tts, partial(spend, "tts"))
        wait_s = time.wait_s(device_id, loop.time())
        if wait_s > 0.0:
            spent = EngineTimeSpent(time.minutes, wait_s, aloud=lambda: time.tell(device_id, loop.time()))
            refusal = Refusal(spent, self._refused)
            stt, llm = SpentStt(refusal), SpentLlm(refusal)
            return replace(kit, stt=stt, llm=llm, tts=tts, duplex=None, eyes=None, tooling=None)
        model = partial(spend, "llm")
        return replace(
            kit,
            stt=MeteredStt(kit.stt, partial(spend, "stt")),
            llm=MeteredLlm(kit.llm, model),
            tts=tts,
            duplex=None if kit.duplex is None else MeteredDuplex(kit.duplex, partial(spend, "duplex")),
            eyes=None if kit.eyes is None else MeteredLlm(kit.eyes, model),
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a turn's device gets no engine, and who is told of it."""

    error: EngineTimeSpent
    tell: Callable[[], None]

    def raised(self) -> EngineTimeSpent:
        self.tell()
        return self.error


class Meter:
    """Counts what a stream is waited for; not how long its reader takes, nor how long it waits for its own input."""

    def __init__(self, spend: Spend) -> None:
        self._spend = spend

    async def read(
        self, stream: AsyncIterator[T], waited_s: Callable[[], float] = lambda: 0.0
    ) -> AsyncGenerator[T, None]:
        """Pass a stream on. `waited_s`: so long it has waited for input so far."""
        clock, used_s = asyncio.get_running_loop().time, 0.0
        try:
            while True:
                began = clock() - waited_s()
                try:
                    item = await anext(stream)
                except StopAsyncIteration:
                    return
                finally:
                    used_s += max(0.0, clock() - waited_s() - began)
                yield item
        finally:
            self._spend(used_s)
            await close(stream)


class Sound:
    """A speaker's sound on its way to an engine, and how long the engine has waited for it."""

    def __init__(self, audio: AsyncIterator[bytes]) -> None:
        self._audio = audio
        self._waited_s = 0.0
        self._since: float | None = None

    def waited_s(self) -> float:
        """Until now."""
        if self._since is None:
            return self._waited_s
        return self._waited_s + asyncio.get_running_loop().time() - self._since

    def __aiter__(self) -> Sound:
        return self

    async def __anext__(self) -> bytes:
        self._since = asyncio.get_running_loop().time()
        try:
            return await anext(self._audio)
        finally:
            self._waited_s, self._since = self.waited_s(), None


class Metered:
    """What an engine says of itself beside its seam."""

    def __init__(self, engine: Any, spend: Spend) -> None:
        self.name: str = engine.name
        self._engine = engine
        self._meter = Meter(spend)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def aclose(self) -> None:
        """It is not this turn's to close."""


class MeteredStt(Metered):
    """A recogniser."""

    _engine: Stt

    def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        sound = Sound(audio)
        return self._meter.read(self._engine.transcribe(sound, speaker), sound.waited_s)


class MeteredLlm(Metered):
    """A model."""

    _engine: Llm

    def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        return self._meter.read(self._engine.reply(prompt))


class MeteredTts(Metered):
    """A voice."""

    _engine: Tts

    @property
    def sample_rate_hz(self) -> int:
        return self._engine.sample_rate_hz

    def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        return self._meter.read(self._engine.synthesize(text, voice))


class MeteredDuplex(Metered):
    """A model that does whole spoken turns."""

    _engine: Duplex

    @property
    def sample_rate_hz(self) -> int:
        return self._engine.sample_rate_hz

    def converse(
        self, audio: AsyncIterator[bytes], prompt: Prompt, tools: Tools | None = None
    ) -> AsyncIterator[DuplexEvent]:
        sound = Sound(audio)
        return self._meter.read(self._engine.converse(sound, prompt, tools), sound.waited_s)

    def interrupted(self, speaker: Speaker, heard_ms: float) -> None:
        self._engine.interrupted(speaker, heard_ms)


class SpentStt:
    """Lets the speaker finish, and does not listen."""

    def __init__(self, refusal: Refusal) -> None:
        self.name = refusal.error.engine
        self._refusal = refusal

    async def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        del speaker
        async for _ in audio:
            pass
        raise self._refusal.raised()
        yield Transcript("")  # makes it a stream

    async def aclose(self) -> None:
        """Holds nothing."""


class SpentLlm:
    """Answers nothing."""

    sees_images = True
    """Nor looks at anything; it is not for want of eyes."""

    def __init__(self, refusal: Refusal) -> None:
        self.name = refusal.error.engine
        self._refusal = refusal

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        del prompt
        raise self._refusal.raised()
        yield  # makes it a stream

    async def aclose(self) -> None:
        """Holds nothing."""
