"""Against scripted servers, and against Lumi's own voice behind its Wyoming port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.engines.wyoming_peer import Call, peer, silent_port_url
from tests.server.wyoming_house import offered, scripted
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error

from lumi.engines.base import Tts, Voice
from lumi.engines.wyoming_tts import WyomingTts
from lumi.errors import ConfigError, EngineError, Trouble
from lumi.testing.conformance import TtsConformance
from lumi.testing.sounds import tone

pytestmark = pytest.mark.real


class TestConformance(TtsConformance):
    """Lumi's voice, reached over Wyoming."""

    def make(self) -> Tts:
        return WyomingTts(silent_port_url())

    @asynccontextmanager
    async def tts(self) -> AsyncIterator[Tts]:
        async with offered(**scripted(tts=None)) as url:
            yield WyomingTts(url)

    async def test_faster_is_shorter(self) -> None:
        """Wyoming knows no pace: it is the same."""
        async with self.tts() as tts:
            slow = await self.spoken(tts, self.short, Voice(speed=0.7))
            fast = await self.spoken(tts, self.short, Voice(speed=1.5))
            assert sum(map(len, fast)) == pytest.approx(sum(map(len, slow)), rel=0.02)

    async def test_closes_twice(self) -> None:
        tts = self.make()
        await tts.aclose()
        await tts.aclose()


async def speech(tts: Tts, text: str = "hello", voice: Voice | None = None) -> bytes:
    return b"".join([piece async for piece in tts.synthesize(text, voice or Voice())])


def speaking(rate: int = 16_000, channels: int = 1, width: int = 2):
    async def speak(call: Call) -> None:
        await call.until("synthesize")
        pcm = tone(500, rate)
        if channels == 2:
            pcm = b"".join(pcm[at : at + 2] * 2 for at in range(0, len(pcm), 2))
        await call.say(AudioStart(rate, width, channels))
        for start in range(0, len(pcm), 2_048):
            await call.say(AudioChunk(rate, width, channels, pcm[start : start + 2_048]))
        await call.say(AudioStop())

    return speak


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (22_050, 1), (48_000, 2)])
async def test_whatever_the_server_s_rate_it_comes_at_ours(rate, channels):
    async with peer(speaking(rate, channels)) as server:
        tts = WyomingTts(server.url, sample_rate_hz=24_000)
        assert len(await speech(tts)) / 2 / 24_000 == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("made_with", "voice", "asked"),
    [
        ({}, Voice(), None),
        ({"language": "de"}, Voice(), {"language": "de"}),
        ({"language": "de"}, Voice(language="zh"), {"language": "zh"}),
        ({"model": "en_US-lessac-medium"}, Voice(), {"name": "en_US-lessac-medium"}),
        ({"model": "a", "speaker": "p1"}, Voice("b", "zh"), {"name": "b", "speaker": "p1"}),
    ],
)
async def test_which_voice_is_asked_for(made_with, voice, asked):
    async with peer(speaking()) as server:
        await speech(WyomingTts(server.url, **made_with), "hello", voice)
        (event,) = server.calls[0].events
    assert event.data == {"text": "hello"} | ({"voice": asked} if asked else {})


async def test_a_voice_that_is_refused_is_no_reason_to_be_silent():
    async def choosy(call: Call) -> None:
        event = await call.until("synthesize")
        if "voice" in event.data:
            await call.say(Error("no such voice"))
        else:
            call.events.clear()
            await call.say(AudioStart(16_000, 2, 1), AudioChunk(16_000, 2, 1, tone(100)), AudioStop())

    async with peer(choosy) as server:
        assert await speech(WyomingTts(server.url), "hello", Voice("nobody"))
        assert len(server.calls) == 2


async def test_nothing_to_say_asks_nobody():
    assert await speech(WyomingTts(silent_port_url()), "…?! 🎉") == b""


async def test_what_goes_wrong_says_of_which_kind_it_is():
    with pytest.raises(EngineError, match="set base_url") as raised:
        await speech(WyomingTts(silent_port_url()), "hello", Voice("somebody"))
    assert raised.value.trouble is Trouble.UNREACHABLE

    async def breaks_off(call: Call) -> None:
        await call.until("synthesize")
        await call.say(AudioStart(16_000, 2, 1), AudioChunk(16_000, 2, 1, tone(100)))

    async def slow(call: Call) -> None:
        await call.until("synthesize")
        await call.reader.read()

    for behaviour, trouble in (
        (breaks_off, Trouble.GARBLED),
        (speaking(width=4), Trouble.GARBLED),
        (slow, Trouble.SLOW),
    ):
        async with peer(behaviour) as server:
            with pytest.raises(EngineError) as raised:
                await speech(WyomingTts(server.url, timeout_s=0.3))
            assert raised.value.trouble is trouble


async def test_whoever_stops_listening_hangs_up():
    async def endless(call: Call) -> None:
        await call.until("synthesize")
        while True:
            await call.say(AudioChunk(16_000, 2, 1, bytes(64_000)))

    async with peer(endless) as server:
        stream = WyomingTts(server.url).synthesize("hello", Voice())
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        async with asyncio.timeout(5):
            await server.gone.wait()


def test_an_address_that_is_none():
    with pytest.raises(ConfigError, match=r"tts\.wyoming\.base_url"):
        WyomingTts("piper")
