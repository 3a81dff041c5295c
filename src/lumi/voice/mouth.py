"""Text in, packets out: speaks one sentence after the other for one session."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from lumi.audio.format import AudioFormat
from lumi.audio.packet_cache import PacketCache, PacketKey
from lumi.engines.base import RESTART, Tts, Voice
from lumi.voice.deadline import within


class Encoder(Protocol):
    """Where PCM becomes packets of the session's format (`MediaPool`'s downlink)."""

    async def encode(self, pcm: bytes, rate_hz: int, *, last: bool = False) -> list[bytes]: ...

    def reset(self) -> None: ...


class Mouth:
    """Speaks with one voice in one format; what was spoken before comes from the cache.

    One sentence at a time: the encoder's state belongs to the sentence being spoken.
    """

    def __init__(
        self,
        tts: Tts,
        encoder: Encoder,
        cache: PacketCache,
        form: AudioFormat,
        voice: Voice,
        *,
        timeout_s: float,
        key: str = "",
    ) -> None:
        """`key` tells the engine apart from others of its name, in the cache."""
        self.engine = tts.name
        self._key = key or tts.name
        self._tts = tts
        self._encoder = encoder
        self._cache = cache
        self._form = form
        self._voice = voice
        self._timeout_s = timeout_s

    def begin(self) -> None:
        """Speech that is made elsewhere begins: a stream of its own."""
        self._encoder.reset()

    async def encode(self, pcm: bytes, rate_hz: int, *, last: bool = False) -> tuple[bytes, ...]:
        """Packets of speech that is made elsewhere; `last` gives the rest."""
        return tuple(await self._encoder.encode(pcm, rate_hz, last=last))

    async def speak(self, text: str) -> AsyncGenerator[tuple[bytes, ...], None]:
        """Yield the sentence's packets in groups, as soon as they are made.

        An empty group: forget those given so far, another voice speaks the sentence from its beginning. What another
        voice than the usual one said is not kept.

        Raises:
            EngineError: the voice failed or stalled; packets given so far are sound.
        """
        key = PacketKey(self._key, self._voice, text, self._form)
        known = self._cache.get(key)
        if known is not None:
            yield known
            return
        spoken: list[bytes] = []
        stand_ins = self._stand_ins
        self._encoder.reset()
        stream = within(
            self._tts.synthesize(text, self._voice), engine=self._tts.name, timeout_s=self._timeout_s
        )
        async with aclosing(stream):
            async for pcm in stream:
                if pcm == RESTART:
                    self._encoder.reset()
                    yield ()
                    continue
                packets = await self._encoder.encode(pcm, self._tts.sample_rate_hz)
                if packets:
                    spoken += packets
                    yield tuple(packets)
        rest = await self._encoder.encode(b"", self._tts.sample_rate_hz, last=True)
        if rest:
            spoken += rest
            yield tuple(rest)
        if spoken and stand_ins == self._stand_ins:
            self._cache.put(key, tuple(spoken))

    @property
    def _stand_ins(self) -> int:
        """How often another voice has stood in for the usual one: during a sentence, it may have been for this one."""
        return getattr(self._tts, "stand_ins", 0)
