"""One connection without a server around it; what a client sees stands in test_wyoming_service.py."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.server.test_wyoming_service import event_of, say
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.info import Describe
from wyoming.tts import Synthesize

from lumi.engines.base import Stt
from lumi.server.background import Background
from lumi.server.generations import Generation, Generations
from lumi.server.kit import Kit, SessionSettings
from lumi.server.wyoming_caller import CallerSettings
from lumi.server.wyoming_service import WyomingService
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts
from lumi.testing.sounds import tone
from lumi.voice.turn import TurnSettings

pytestmark = pytest.mark.real


class Leasing:
    def __init__(self, stt: Stt, tts: ScriptedTts) -> None:
        settings = SessionSettings(turn=TurnSettings(stt_timeout_s=0.3))
        self.for_session = lambda _tools: self
        self.generations = Generations(Generation.of(Kit(stt, ScriptedLlm(), tts, settings)))


@asynccontextmanager
async def called(
    settings: CallerSettings, *, stt: Stt | None = None, tts: ScriptedTts | None = None
) -> AsyncIterator[AsyncTcpClient]:
    async with Background() as jobs:
        services = Leasing(stt or ScriptedStt(["words"]), tts or ScriptedTts())
        service = WyomingService(services, jobs, settings, limit=5)  # type: ignore[arg-type]
        async with (
            await asyncio.start_server(service.accept, "127.0.0.1", 0) as server,
            AsyncTcpClient("127.0.0.1", server.sockets[0].getsockname()[1]) as client,
        ):
            yield client


async def test_who_says_nothing_is_let_go():
    async with called(CallerSettings(idle_s=0.2)) as client, asyncio.timeout(5):
        assert await client.read_event() is None


async def test_who_waits_for_an_answer_is_not_idle():
    tts = ScriptedTts(delay_s=0.6)
    async with called(CallerSettings(idle_s=0.2), tts=tts) as client:
        await client.write_event(Synthesize("hello").event())
        kinds = [(await event_of(client)).type for _ in range(3)]
    assert kinds == ["audio-start", "audio-chunk", "audio-chunk"]


async def test_who_takes_nothing_is_let_go():
    tts = ScriptedTts(ms_per_character=60_000, piece_ms=20_000)
    async with called(CallerSettings(take_s=0.3), tts=tts) as client:
        await client.write_event(Synthesize("a" * 20).event())
        await asyncio.sleep(1.5)
    assert tts.finished == 0


async def test_an_utterance_that_is_too_long_is_cut():
    stt = ScriptedStt(["words"])
    async with called(CallerSettings(utterance_s=0.5), stt=stt) as client:
        await say(client, tone(5_000))
        assert (await event_of(client)).data["text"] == "words"
        await client.write_event(Describe().event())
        assert (await event_of(client)).type == "info"


async def test_a_recogniser_that_stalls_is_not_waited_for():
    stt = ScriptedStt(["words"], delay_s=30.0)
    async with called(CallerSettings(), stt=stt) as client:
        await say(client, tone(300))
        error = Error.from_event(await event_of(client))
    assert "no transcript within 0.3 s" in error.text
    assert error.code == "slow"
