"""Against scripted servers, and against Lumi's own embedded recogniser behind its Wyoming port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.engines.test_pocketsphinx import SENTENCES, recorded
from tests.engines.wyoming_peer import Call, peer, silent_port_url
from tests.server.wyoming_house import config, offered, scripted
from wyoming.asr import Transcript as Said
from wyoming.asr import TranscriptChunk, TranscriptStart, TranscriptStop

from lumi.config.engines import SttSettings
from lumi.engines.base import Speaker, Stt, Transcript
from lumi.engines.grammar import Grammar
from lumi.engines.pocketsphinx import PocketsphinxStt
from lumi.engines.wyoming_stt import WyomingStt
from lumi.errors import ConfigError, EngineError, Trouble
from lumi.testing import ScriptedStt
from lumi.testing.conformance import SttConformance, noise, pieces
from lumi.testing.sounds import tone

pytestmark = pytest.mark.real

WORDS = ("what time is it", "set a timer for five minutes")


@pytest.fixture(autouse=True, scope="module")
def _spoken() -> None:
    recorded(WORDS)  # outside any loop; kept from then on


class TestConformance(SttConformance):
    """Lumi's recogniser, reached over Wyoming."""

    def utterances(self):
        return list(zip(recorded(WORDS), WORDS, strict=True))

    def make(self) -> Stt:
        return WyomingStt(silent_port_url())

    @asynccontextmanager
    async def stt(self) -> AsyncIterator[Stt]:
        recogniser = PocketsphinxStt(Grammar.from_sentences(SENTENCES), dictation=False)
        try:
            patient = config().model_copy(update={"stt": SttSettings(timeout_s=100)})
            async with offered(patient, **scripted(stt=recogniser)) as url:
                yield WyomingStt(url, timeout_s=100)
        finally:
            await recogniser.aclose()

    async def test_sound_that_is_far_too_long_ends_all_the_same(self) -> None:
        """What a recogniser makes of it is shown where the recogniser is; here it goes over the line."""
        long, listener = noise(40, loudness=30), ScriptedStt(["at last"])
        async with offered(**scripted(stt=listener)) as url:
            assert (await self.heard(WyomingStt(url), long)).text == "at last"
        assert b"".join(listener.heard) == long

    async def test_closes_twice(self) -> None:
        stt = self.make()
        await stt.aclose()
        await stt.aclose()


async def heard(stt: Stt, pcm: bytes, speaker: Speaker | None = None) -> list[Transcript]:
    return [said async for said in stt.transcribe(pieces(pcm), speaker or Speaker(language="zh"))]


async def test_what_a_server_is_told_and_tells():
    async def recognise(call: Call) -> None:
        await call.until("audio-stop")
        await call.say(Said(" 现在几点 ", language="zh"))

    pcm = tone(400)
    async with peer(recognise) as server:
        stt = WyomingStt(server.url, model="tiny")
        assert await heard(stt, pcm) == [Transcript("现在几点", 1.0, language="zh")]
        assert await heard(WyomingStt(server.url, language="auto"), pcm)
    call, other = server.calls
    assert [event.type for event in call.events][:3] == ["transcribe", "audio-start", "audio-chunk"]
    assert call.events[0].data == {"name": "tiny", "language": "zh"}
    assert other.events[0].data == {}
    assert call.events[1].data | {"timestamp": 0} == {
        "rate": 16_000,
        "width": 2,
        "channels": 1,
        "timestamp": 0,
    }
    assert call.sound == pcm


@pytest.mark.parametrize("whole", [True, False])
async def test_words_that_come_while_they_are_found(whole):
    async def recognise(call: Call) -> None:
        await call.until("audio-stop")
        await call.say(
            TranscriptStart(language="en"), TranscriptChunk("turn on"), TranscriptChunk(" the light")
        )
        if whole:
            await call.say(Said("turn on the light"))
        await call.say(TranscriptStop())

    async with peer(recognise) as server:
        assert await heard(WyomingStt(server.url), tone(200)) == [
            Transcript("turn on", 0.0, is_final=False, language="en"),
            Transcript("turn on the light", 0.0, is_final=False, language="en"),
            Transcript("turn on the light", 1.0, language="en"),
        ]


async def test_a_server_may_find_the_end_of_speech_itself():
    async def recognise(call: Call) -> None:
        await call.until("audio-chunk")
        await call.say(Said("stop", context={"confidence": 0.25}))
        await call.reader.read()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1_920)
            await asyncio.sleep(0.001)

    async with peer(recognise) as server, asyncio.timeout(5):
        said = [transcript async for transcript in WyomingStt(server.url).transcribe(endless(), Speaker())]
    assert said == [Transcript("stop", 0.25)]


async def test_no_sound_asks_nobody():
    assert await heard(WyomingStt(silent_port_url()), b"") == [Transcript("", 0.0)]


async def test_what_goes_wrong_says_of_which_kind_it_is():
    with pytest.raises(EngineError, match="set base_url") as raised:
        await heard(WyomingStt(silent_port_url()), tone(100))
    assert raised.value.trouble is Trouble.UNREACHABLE

    async def breaks_off(call: Call) -> None:
        await call.until("audio-stop")
        await call.say_raw(b'{"type":"transcript","data_length":40}\n{"te')

    async def wordless(call: Call) -> None:
        await call.until("audio-stop")
        await call.say_raw(b'{"type":"transcript"}\n')

    async def slow(call: Call) -> None:
        await call.until("audio-stop")
        await call.reader.read()

    for behaviour, trouble in (
        (breaks_off, Trouble.GARBLED),
        (wordless, Trouble.GARBLED),
        (slow, Trouble.SLOW),
    ):
        async with peer(behaviour) as server:
            with pytest.raises(EngineError) as raised:
                await heard(WyomingStt(server.url, timeout_s=0.3), tone(100))
            assert raised.value.trouble is trouble


async def test_cancelling_hangs_up():
    async def slow(call: Call) -> None:
        await call.until("audio-stop")
        await call.until("never")

    async with peer(slow) as server:
        task = asyncio.create_task(heard(WyomingStt(server.url), tone(100)))
        async with asyncio.timeout(5):
            await server.called.wait()
        task.cancel()
        async with asyncio.timeout(5):
            await server.gone.wait()
        await asyncio.gather(task, return_exceptions=True)


def test_an_address_that_is_none():
    with pytest.raises(ConfigError, match=r"stt\.wyoming\.base_url"):
        WyomingStt("http://whisper:10300")
