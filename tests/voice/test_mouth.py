from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from lumi.audio.format import AudioFormat
from lumi.audio.packet_cache import PacketCache
from lumi.engines.base import RESTART, Voice
from lumi.errors import EngineError
from lumi.testing.engines import ScriptedTts
from lumi.voice.mouth import Mouth


class Encoder:
    """A packet for every 100 ms; the rest is kept for the last."""

    def __init__(self) -> None:
        self.rest = 0
        self.resets = 0

    async def encode(self, pcm: bytes, rate_hz: int, *, last: bool = False) -> list[bytes]:
        self.rest += len(pcm)
        size = rate_hz // 10 * 2
        count, self.rest = divmod(self.rest, size)
        return [b"full"] * count + ([b"last"] if last and self.rest else [])

    def reset(self) -> None:
        self.resets += 1
        self.rest = 0


def mouth(tts: ScriptedTts, cache: PacketCache | None = None, encoder: Encoder | None = None) -> Mouth:
    kept = PacketCache(1_000_000) if cache is None else cache
    return Mouth(tts, encoder or Encoder(), kept, AudioFormat(), Voice(), timeout_s=5)


async def groups(mouth: Mouth, text: str) -> list[tuple[bytes, ...]]:
    return [group async for group in mouth.speak(text)]


async def test_packets_come_as_they_are_made_the_rest_last() -> None:
    spoken = await groups(mouth(ScriptedTts(ms_per_character=45, piece_ms=200)), "0123456789")
    assert spoken == [(b"full",) * 2, (b"full",) * 2, (b"last",)]


async def test_a_piece_too_short_for_a_packet_gives_no_group() -> None:
    assert await groups(mouth(ScriptedTts(ms_per_character=5)), "1") == [(b"last",)]


async def test_the_second_time_it_comes_from_the_cache() -> None:
    tts, cache, encoder = ScriptedTts(), PacketCache(1_000_000), Encoder()
    speaker = mouth(tts, cache, encoder)
    first = await groups(speaker, "hello")
    second = await groups(speaker, "hello")
    assert [packet for group in first for packet in group] == list(second[0])
    assert (tts.calls, cache.hits, encoder.resets) == (1, 1, 1)


async def test_a_sentence_cut_short_is_not_kept() -> None:
    cache = PacketCache(1_000_000)
    stream = mouth(ScriptedTts(), cache).speak("a long sentence indeed")
    await anext(stream)
    await stream.aclose()
    assert len(cache) == 0


async def test_nothing_to_pronounce_gives_nothing() -> None:
    cache = PacketCache(1_000_000)
    assert await groups(mouth(ScriptedTts(), cache), "…") == []
    assert len(cache) == 0


async def test_a_voice_that_stalls_is_named() -> None:
    with pytest.raises(EngineError, match="scripted-tts: no answer within 5 s"):
        await groups(mouth(ScriptedTts(delay_s=6)), "hello")


class TwoVoices(ScriptedTts):
    """Another voice begins the sentence anew."""

    stand_ins = 0

    async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        if text == "hello":
            yield bytes(5_000)
            TwoVoices.stand_ins += 1
            yield RESTART
        async for piece in super().synthesize(text, voice):
            yield piece


async def test_a_sentence_spoken_anew_by_another_voice_is_not_kept() -> None:
    cache, encoder = PacketCache(1_000_000), Encoder()
    speaker = mouth(TwoVoices(ms_per_character=40), cache, encoder)
    assert await groups(speaker, "hello") == [(b"full",), (), (b"full",) * 2]
    assert encoder.resets == 2
    await groups(speaker, "hello")
    assert cache.hits == 0
    await groups(speaker, "other")
    await groups(speaker, "other")
    assert cache.hits == 1
