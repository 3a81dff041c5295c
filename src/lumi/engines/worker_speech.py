"""Recognisers and voices whose work is done by worker processes: what both sides say to each other, and our side of it.

Used by the engines that run a model; each has a worker module of its own for the other side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from lumi.engines.base import Transcript

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lumi.engines.base import Speaker, Voice
    from lumi.engines.worker_pool import WorkerPool


class HearRequest(msgspec.Struct, frozen=True):
    """To the worker: an utterance is about to come."""

    language: str = ""
    """The speaker's preference."""


class Said(msgspec.Struct, frozen=True):
    """From the worker: the fields of `engines.base.Transcript`."""

    text: str
    confidence: float = 0.0
    is_final: bool = True
    language: str = ""


class SpeakRequest(msgspec.Struct, frozen=True):
    """To the worker: a text and the fields of `engines.base.Voice`."""

    text: str
    name: str = ""
    language: str = ""
    speed: float = 1.0


class VoiceReport(msgspec.Struct, frozen=True):
    """From the worker, once it is loaded."""

    sample_rate_hz: int
    speakers: int = 1


pack = msgspec.msgpack.encode


def unpack(data: bytes, kind: type[Any]) -> Any:
    return msgspec.msgpack.decode(data, type=kind)


async def transcripts(
    pool: WorkerPool, audio: AsyncIterator[bytes], speaker: Speaker
) -> AsyncIterator[Transcript]:
    """Hand the sound on as it comes, and pass on what is heard in it. Raises `EngineError`."""
    async with await pool.open(pack(HearRequest(speaker.language))) as stream:
        async for pcm in audio:
            await stream.send(pcm)
            for said in stream.poll():
                yield _transcript(said)
        stream.end()
        async for said in stream:
            yield _transcript(said)


def _transcript(data: bytes) -> Transcript:
    said: Said = unpack(data, Said)
    return Transcript(said.text, said.confidence, is_final=said.is_final, language=said.language or None)


async def speech(pool: WorkerPool, text: str, voice: Voice) -> AsyncIterator[bytes]:
    """PCM pieces as they are made. Raises `EngineError`."""
    request = SpeakRequest(text, voice.name, voice.language, voice.speed)
    async with await pool.open(pack(request)) as stream:
        stream.end()
        async for piece in stream:
            yield piece
