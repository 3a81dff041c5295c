"""What every recogniser and every voice must do: subclass with a `make` and the words, and run as tests.

@pytest.mark.real
class TestEspeak(TtsConformance):
    def make(self): return EspeakTts()
"""

from __future__ import annotations

import asyncio
import random
import struct
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, cast

from lumi.engines.base import Speaker, Transcript, Voice

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable

    from lumi.engines.base import Stt, Tts

RATE_HZ = 16_000
PIECE_BYTES = 1_920
"""60 ms, as they come from a device."""


async def pieces(pcm: bytes, size: int = PIECE_BYTES) -> AsyncIterator[bytes]:
    """Sound as it comes from a microphone, only faster."""
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]
        await asyncio.sleep(0)


def noise(seconds: float, loudness: int = 300, seed: int = 1) -> bytes:
    """White noise of a standard deviation of `loudness`."""
    source = random.Random(seed)
    samples = [
        int(max(-32_768, min(32_767, source.gauss(0, loudness)))) for _ in range(int(seconds * RATE_HZ))
    ]
    return struct.pack(f"<{len(samples)}h", *samples)


async def final_of(transcripts: AsyncIterator[Transcript]) -> Transcript:
    """The one final transcript, which comes last."""
    heard = [transcript async for transcript in transcripts]
    assert heard, "there was no transcript at all"
    assert [transcript.is_final for transcript in heard] == [False] * (len(heard) - 1) + [True]
    assert all(0.0 <= transcript.confidence <= 1.0 for transcript in heard)
    return heard[-1]


class TtsConformance:
    """Needs `make`; set `short` and `long_text` to what the voice can say."""

    short = "hello there"
    long_text = "this is a sentence of a long text that goes on and on. " * 60

    def make(self) -> Tts:
        raise NotImplementedError

    @asynccontextmanager
    async def tts(self) -> AsyncIterator[Tts]:
        engine = self.make()
        try:
            yield engine
        finally:
            await engine.aclose()

    async def spoken(self, tts: Tts, text: str, voice: Voice | None = None) -> list[bytes]:
        return [piece async for piece in tts.synthesize(text, voice or Voice())]

    async def test_speaks_in_whole_samples_at_a_plausible_length(self) -> None:
        async with self.tts() as tts:
            said = await self.spoken(tts, self.short)
            assert all(piece and len(piece) % 2 == 0 for piece in said)
            seconds = sum(map(len, said)) / 2 / tts.sample_rate_hz
            assert 0.3 < seconds < 5
            loudest = max(abs(sample) for (sample,) in struct.iter_unpack("<h", b"".join(said)))
            assert 3_000 < loudest <= 32_767

    async def test_says_nothing_where_there_is_nothing_to_say(self) -> None:
        async with self.tts() as tts:
            for text in ("", "   ", "\n", "...", "?!", "🎉😀", "**", "—"):
                assert await self.spoken(tts, text) == []

    async def test_speaks_whatever_is_odd(self) -> None:
        async with self.tts() as tts:
            for text in (
                "\x00\x01 hello \ufffd\u202e",
                "<b>bold</b> & <script>",
                "a" * 2_000,
                "مرحبا שלום привет",
            ):
                await self.spoken(tts, text)
            assert await self.spoken(tts, self.short)

    async def test_begins_long_text_before_it_is_done(self) -> None:
        async with self.tts() as tts:
            assert len(await self.spoken(tts, self.long_text)) > 10

    async def test_stops_when_nobody_listens_and_serves_the_next(self) -> None:
        async with self.tts() as tts:
            for _ in range(3):
                speech = cast("AsyncGenerator[bytes]", tts.synthesize(self.long_text, Voice()))
                async with aclosing(speech):
                    async for _piece in speech:
                        break
            async with asyncio.timeout(5):
                assert await self.spoken(tts, self.short)

    async def test_a_short_text_does_not_wait_for_a_long_one(self) -> None:
        async with self.tts() as tts:
            done: list[str] = []

            async def speak(name: str, text: str) -> None:
                await self.spoken(tts, text)
                done.append(name)

            await self.spoken(tts, self.short)
            async with asyncio.TaskGroup() as group:
                group.create_task(speak("long", self.long_text * 5))
                group.create_task(speak("short", self.short))
            assert done == ["short", "long"]

    async def test_several_at_once_say_what_each_says_alone(self) -> None:
        async with self.tts() as tts:
            texts = [self.short, "one two three four", self.long_text[:300]]
            alone = [sum(map(len, await self.spoken(tts, text))) for text in texts]
            together = await asyncio.gather(*(self.spoken(tts, text) for text in texts))
            for said, length in zip(together, alone, strict=True):
                # Voices may vary a little from one time to the next.
                assert abs(sum(map(len, said)) - length) <= 0.05 * length

    async def test_faster_is_shorter(self) -> None:
        async with self.tts() as tts:
            slow = await self.spoken(tts, self.short, Voice(speed=0.7))
            fast = await self.spoken(tts, self.short, Voice(speed=1.5))
            assert sum(map(len, fast)) < sum(map(len, slow))

    async def test_an_unknown_voice_is_no_reason_to_be_silent(self) -> None:
        async with self.tts() as tts:
            assert await self.spoken(tts, self.short, Voice(name="no such voice", language="xx"))

    async def test_closes_twice(self) -> None:
        tts = self.make()
        await self.spoken(tts, self.short)
        await tts.aclose()
        await tts.aclose()


class SttConformance:
    """Needs `make`, and `utterances`: sound (16 kHz PCM) and the words in it, at least two."""

    def make(self) -> Stt:
        raise NotImplementedError

    def utterances(self) -> Iterable[tuple[bytes, str]]:
        raise NotImplementedError

    @asynccontextmanager
    async def stt(self) -> AsyncIterator[Stt]:
        engine = self.make()
        try:
            yield engine
        finally:
            await engine.aclose()

    async def heard(self, stt: Stt, pcm: bytes, size: int = PIECE_BYTES) -> Transcript:
        return await final_of(stt.transcribe(pieces(pcm, size), Speaker()))

    async def test_hears_what_was_said(self) -> None:
        async with self.stt() as stt:
            for pcm, words in self.utterances():
                assert (await self.heard(stt, pcm)).text == words

    async def test_uneven_pieces_make_no_difference(self) -> None:
        async with self.stt() as stt:
            pcm, words = next(iter(self.utterances()))
            for size in (333, 1_001, len(pcm)):
                assert (await self.heard(stt, pcm, size)).text == words

    async def test_many_at_once_hear_each_its_own(self) -> None:
        async with self.stt() as stt:
            wanted = list(self.utterances()) * 2
            heard = await asyncio.gather(*(self.heard(stt, pcm) for pcm, _ in wanted))
            assert [transcript.text for transcript in heard] == [words for _, words in wanted]

    async def test_an_earlier_utterance_leaves_no_trace(self) -> None:
        async with self.stt() as stt:
            (first, _), (second, _) = list(self.utterances())[:2]
            alone = await self.heard(stt, first)
            await self.heard(stt, second)
            await self.heard(stt, noise(1))
            assert await self.heard(stt, first) == alone

    async def test_silence_and_nothing_have_no_words(self) -> None:
        async with self.stt() as stt:
            for pcm in (b"", b"\x00", bytes(320), bytes(2 * RATE_HZ * 2), noise(1.5, loudness=3)):
                assert (await self.heard(stt, pcm)).text == ""

    async def test_noise_is_no_command(self) -> None:
        async with self.stt() as stt:
            assert (await self.heard(stt, noise(2, loudness=3_000))).confidence < 0.5

    async def test_sound_that_is_far_too_long_ends_all_the_same(self) -> None:
        async with self.stt() as stt:
            await self.heard(stt, noise(40, loudness=30))

    async def test_stops_when_nobody_waits_and_serves_the_next(self) -> None:
        async with self.stt() as stt:
            pcm, words = next(iter(self.utterances()))

            async def endless() -> AsyncIterator[bytes]:
                while True:
                    yield pcm[:PIECE_BYTES]
                    await asyncio.sleep(0.001)

            for _ in range(8):
                listening = asyncio.ensure_future(final_of(stt.transcribe(endless(), Speaker())))
                await asyncio.sleep(0.02)
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
            async with asyncio.timeout(20):
                assert (await self.heard(stt, pcm)).text == words

    async def test_closes_twice(self) -> None:
        stt = self.make()
        await self.heard(stt, bytes(8_000))
        await stt.aclose()
        await stt.aclose()
