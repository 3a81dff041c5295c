"""A model that dies in mid-answer: the next one finishes the turn, the first one comes back, and all of it is seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from tests.flows.scripted import CONFIG, scripted_lumi

from lumi.config.engines import TtsSettings
from lumi.engines.base import LlmEvent, Prompt, Voice
from lumi.engines.fallback_llm import FallbackLlm
from lumi.engines.fallback_tts import FallbackTts
from lumi.engines.roster import Member, Roster
from lumi.errors import EngineError, EngineUnavailable, Trouble
from lumi.server.server import Server
from lumi.testing import FakeDevice, ScriptedLlm, ScriptedTts, SpokenTurn
from lumi.testing.openai_faults import Fault
from lumi.testing.openai_server import OpenAiServer
from lumi.testing.wire import is_tts
from lumi.transport.websocket import connect

pytestmark = pytest.mark.real


class Mortal(ScriptedLlm):
    """Dies in mid-answer while `dead`."""

    dead = False

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        async for count, event in counted(super().reply(prompt)):
            if self.dead and count == 6:
                raise EngineError("primary", "connection reset", trouble=Trouble.UNREACHABLE)
            yield event

    async def probe(self) -> None:
        if self.dead:
            raise EngineError("primary", "connection refused", trouble=Trouble.UNREACHABLE)


async def counted(events: AsyncIterator[LlmEvent]) -> AsyncIterator[tuple[int, LlmEvent]]:
    count = 0
    async for event in events:
        yield count, event
        count += 1


def members(**engines: Any) -> list[Any]:
    return [Member(name, f"engines.{name}", engine) for name, engine in engines.items()]


async def engines(server: Server) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(server.page_url + "healthz") as answer:
        found: dict[str, Any] = (await answer.json())["engines"]
        return found


async def health(server: Server) -> dict[str, Any]:
    first: dict[str, Any] = (await engines(server))["llm"][0]
    return first


async def probed(server: Server) -> None:
    """Return when the first model has been found to work again."""
    while (await health(server))["state"] == "open":  # noqa: ASYNC110 - the server is asked over its socket
        await asyncio.sleep(0.2)


async def metrics(server: Server) -> str:
    async with aiohttp.ClientSession() as http, http.get(server.page_url + "metrics") as answer:
        return await answer.text()


async def ask(server: Server, text: str) -> SpokenTurn:
    """A spoken turn."""
    async with FakeDevice(await connect(server.url)) as device:
        await device.hello()
        await device.detect(text)
        turn = await device.spoken_turn()
        await device.quiet(0.2)
        assert sum(is_tts(item, "stop") for item in device.received) == 1
        return turn


async def test_the_next_model_finishes_the_answer_and_the_first_comes_back() -> None:
    primary = Mortal(lambda _: "Sure. The capital of Australia is Canberra.", name="primary")
    spare = ScriptedLlm(lambda _: "is Canberra, a quiet city.", name="spare")
    llm = FallbackLlm(Roster("llm", members(primary=primary, spare=spare), slow_s=2))
    async with scripted_lumi(CONFIG, llm=llm, tts=ScriptedTts(ms_per_character=2)) as server:
        assert (await health(server))["state"] == "closed"
        primary.dead = True
        turn = await ask(server, "capital of Australia?")
        assert turn.sentences == ["Sure.", "The capital of Australia is Canberra, a quiet city."]
        assert spare.prompts[0].messages[-2].content == "Sure. The capital of Australia "
        first = await health(server)
        assert (first["name"], first["state"], first["last_trouble"]) == ("primary", "open", "unreachable")
        counts = await metrics(server)
        assert 'lumi_engine_up{engine="primary",kind="llm"} 0.0' in counts
        assert 'lumi_engine_failures_total{engine="primary",kind="llm",trouble="unreachable"} 1.0' in counts
        assert 'lumi_engine_fallbacks_total{engine="spare",kind="llm"} 1.0' in counts
        primary.dead = False
        await probed(server)
        turn = await ask(server, "and again?")
        assert turn.sentences == ["Sure.", "The capital of Australia is Canberra."]
        assert (await health(server))["state"] == "closed"
        assert 'lumi_engine_up{engine="primary",kind="llm"} 1.0' in await metrics(server)


class Hoarse(ScriptedTts):
    """Breaks off in the middle of every sentence."""

    async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        pieces = super().synthesize(text, voice)
        yield await anext(pieces)
        raise EngineError("hoarse", "connection reset", trouble=Trouble.GARBLED)


async def test_a_voice_that_breaks_off_is_stood_in_for_and_the_turn_ends_once() -> None:
    clear = ScriptedTts(sample_rate_hz=24_000, ms_per_character=10)
    tts = FallbackTts(Roster("tts", members(hoarse=Hoarse(), clear=clear), slow_s=2))
    async with scripted_lumi(CONFIG, tts=tts) as server:
        turn = await ask(server, "time?")
        assert turn.sentences == ["It is noon."]
        assert clear.spoken == ["It is noon."]


async def test_a_model_that_cannot_start_does_not_matter_with_another_behind_it() -> None:
    class Absent(ScriptedLlm):
        async def start(self) -> None:
            raise EngineUnavailable("absent", "install it")

    llm = FallbackLlm(Roster("llm", members(absent=Absent(), spare=ScriptedLlm()), slow_s=2))
    async with scripted_lumi(CONFIG, llm=llm) as server:
        assert (await health(server))["state"] == "open"
        assert (await ask(server, "hi")).sentences[0] == "You said: hi."


@pytest.mark.parametrize("fallback", [None, ()])
async def test_a_failing_voice_service_leaves_nobody_in_silence_unless_that_is_wished(
    fallback: tuple[str, ...] | None,
) -> None:
    async with OpenAiServer() as service:
        service.break_("speech", Fault.UNAUTHORIZED)
        tts = TtsSettings(engine="openai", base_url=service.base_url, fallback=fallback)
        async with scripted_lumi(CONFIG.model_copy(update={"tts": tts}), tts=None) as server:
            turn = await ask(server, "time?")
            state = (await engines(server))["tts"]
    assert turn.sentences[0] == "It is noon."
    assert bool(turn.packets) is (fallback is None)
    assert state[0]["last_trouble"] == "key_refused"
    assert [one["name"] for one in state] == (["openai", "espeak"] if fallback is None else ["openai"])
