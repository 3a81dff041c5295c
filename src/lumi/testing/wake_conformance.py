"""What every wake word engine must do: subclass with a `make` and sounds, and run as tests."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, cast

from lumi.testing.conformance import PIECE_BYTES, RATE_HZ, noise, pieces

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from lumi.engines.base import Wake

GAP = bytes(2 * RATE_HZ * 2)
"""Two seconds of silence: after them a word is another word."""


class WakeConformance:
    """Needs `make`, `words` (sound at 16 kHz and the name of the wake word in it) and `others` (speech without one)."""

    def make(self) -> Wake:
        raise NotImplementedError

    def words(self) -> Sequence[tuple[bytes, str]]:
        raise NotImplementedError

    def others(self) -> Sequence[bytes]:
        raise NotImplementedError

    @asynccontextmanager
    async def wake(self) -> AsyncIterator[Wake]:
        engine = self.make()
        try:
            yield engine
        finally:
            await engine.aclose()

    async def heard(self, wake: Wake, pcm: bytes, size: int = PIECE_BYTES) -> list[str]:
        return [name async for name in wake.detect(pieces(pcm, size))]

    async def test_hears_each_word_once(self) -> None:
        async with self.wake() as wake:
            for pcm, name in self.words():
                assert await self.heard(wake, GAP + pcm + GAP) == [name]

    async def test_hears_it_again(self) -> None:
        async with self.wake() as wake:
            pcm, name = self.words()[0]
            assert await self.heard(wake, (GAP + pcm) * 3 + GAP) == [name] * 3

    async def test_uneven_pieces_make_no_difference(self) -> None:
        async with self.wake() as wake:
            pcm, name = self.words()[0]
            for size in (333, 1_001, len(pcm)):
                assert await self.heard(wake, GAP + pcm + GAP, size) == [name]

    async def test_hears_nothing_where_nothing_was_said(self) -> None:
        async with self.wake() as wake:
            for pcm in (b"", b"\x00", bytes(320), GAP * 3, noise(3, loudness=1_000)):
                assert await self.heard(wake, pcm) == []

    async def test_other_words_do_not_wake_it(self) -> None:
        async with self.wake() as wake:
            for pcm in self.others():
                assert await self.heard(wake, GAP + pcm + GAP) == []

    async def test_streams_at_once_hear_each_their_own(self) -> None:
        async with self.wake() as wake:
            pcm, name = self.words()[0]
            sounds = [GAP + pcm + GAP, GAP * 2, GAP + self.others()[0] + GAP] * 2
            heard = await asyncio.gather(*(self.heard(wake, sound) for sound in sounds))
            assert heard == [[name], [], []] * 2

    async def test_says_so_at_once_and_stops_when_nobody_listens(self) -> None:
        async with self.wake() as wake:
            pcm, name = self.words()[0]

            async def endless() -> AsyncIterator[bytes]:
                async for piece in pieces(GAP + pcm):
                    yield piece
                while True:
                    yield bytes(PIECE_BYTES)
                    await asyncio.sleep(0.001)

            for _ in range(3):
                sound = cast("AsyncGenerator[bytes, None]", endless())
                stream = cast("AsyncGenerator[str, None]", wake.detect(sound))
                async with aclosing(sound), aclosing(stream), asyncio.timeout(10):
                    assert await anext(stream) == name

    async def test_closes_twice(self) -> None:
        wake = self.make()
        await self.heard(wake, bytes(8_000))
        await wake.aclose()
        await wake.aclose()
