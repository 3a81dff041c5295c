"""The process that answers is killed in mid-answer: another service's process finishes the turn, and the first comes back."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from tests.flows.scripted import CONFIG

from lumi.config import Config
from lumi.config.engines import LlmSettings, NamedEngine
from lumi.server.server import Server
from lumi.testing import FakeDevice, ScriptedStt, ScriptedTts, ScriptedVad
from lumi.transport.websocket import connect

pytestmark = pytest.mark.real

QUESTION = "tell me of the sea"
PRIMARY = {
    QUESTION: "The sea is wide. " + "It has waves and salt and wind. " * 20,
    "hello": "Hello from the first.",
}


class Model:
    """A stand-in in a process of its own, always at the same address."""

    def __init__(self, folder: Path, name: str, answers: dict[str, str], *, piece_s: float = 0.0) -> None:
        self._answers = folder / f"{name}.json"
        self._answers.write_text(json.dumps(answers), encoding="utf-8")
        self._piece_s = piece_s
        self._process: Process | None = None
        self.base_url = ""

    async def start(self) -> None:
        port = urlsplit(self.base_url).port or 0
        options = ("--port", str(port), "--answers", str(self._answers), "--piece-s", str(self._piece_s))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lumi.testing.openai_server", *options, stdout=PIPE
        )
        assert self._process.stdout is not None
        self.base_url = (await self._process.stdout.readline()).decode().strip()

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()


@asynccontextmanager
async def models(folder: Path) -> AsyncIterator[tuple[Model, Model]]:
    first = Model(folder, "first", PRIMARY, piece_s=0.02)
    second = Model(folder, "second", {})
    try:
        await first.start()
        await second.start()
        yield first, second
    finally:
        await first.kill()
        await second.kill()


def settings(first: Model, second: Model) -> Config:
    llm = LlmSettings(engine="openai", base_url=first.base_url, fallback=("spare",))
    spare = NamedEngine(engine="openai", base_url=second.base_url)
    return CONFIG.model_copy(update={"llm": llm, "engines": {"spare": spare}})


async def get(server: Server, path: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(server.page_url + path) as answer:
        assert answer.status == 200
        return await answer.text()


async def state(server: Server) -> dict[str, Any]:
    """How the models are, by name."""
    engines = json.loads(await get(server, "healthz"))["engines"]["llm"]
    return {one["name"]: one for one in engines}


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - the server is asked over its socket
            await asyncio.sleep(0.1)


async def test_another_process_finishes_the_turn_and_the_first_one_comes_back(tmp_path):
    engines: dict[str, Any] = {
        "vad": ScriptedVad(),
        "stt": ScriptedStt(),
        "tts": ScriptedTts(ms_per_character=5),
    }
    async with models(tmp_path) as (first, second), Server(settings(first, second), **engines) as server:
        await server.wait_ready()
        async with FakeDevice(await connect(server.url)) as device:
            await device.hello()
            await device.detect(QUESTION)
            await device.expect("tts", state="sentence_start")
            await first.kill()
            turn = await device.spoken_turn()
            said = [one["text"] for one in turn.messages if one.get("state") == "sentence_start"]
            assert said[-1].startswith("You said") or "That is all" in said[-1]
            await device.quiet(0.3)
            assert device.types.count("tts stop") == 1
            assert "hello" in (await device.chat("hello")).get("content", "")  # the second one's words
            now = await state(server)
            assert (now["openai"]["state"], now["spare"]["state"]) == ("open", "closed")
            shown = await get(server, "metrics")
            assert 'lumi_engine_up{engine="openai",kind="llm"} 0.0' in shown
            assert 'lumi_engine_fallbacks_total{engine="spare",kind="llm"} 2.0' in shown

            await first.start()
            await until(lambda: _is(server, "openai", {"half_open", "closed"}))
            assert (await device.chat("hello"))["content"] == "Hello from the first."
            assert (await state(server))["openai"]["state"] == "closed"
            assert 'lumi_engine_up{engine="openai",kind="llm"} 1.0' in await get(server, "metrics")


async def _is(server: Server, name: str, states: set[str]) -> bool:
    return (await state(server))[name]["state"] in states
