"""What is found: servers of models that answer as Ollama and others do, and everything that is none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from lumi.commands import detection
from lumi.commands.detection import ModelServer, Place, VoiceServer, ask, detect, ollama_address
from lumi.errors import ConfigError, NetworkUnavailable
from lumi.transport import discovery
from lumi.transport.discovery import Service

OLLAMA = {"models": [{"name": "nomic-embed-text"}, {"name": "llama3.2:1b"}, {"other": 1}, {"name": 3}, 4]}


@pytest.fixture
async def serve() -> AsyncIterator[Any]:
    runners = []

    async def start(path: str, answer: Any, status: int = 200) -> int:
        async def told(_: web.Request) -> web.Response:
            if isinstance(answer, bytes):
                return web.Response(body=answer, status=status)
            return web.json_response(answer, status=status)

        app = web.Application()
        app.router.add_get(path, told)
        runner = web.AppRunner(app)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.mark.real
async def test_ollama_is_found_where_its_variable_says(serve: Any, monkeypatch: pytest.MonkeyPatch):
    port = await serve("/api/tags", OLLAMA)
    monkeypatch.setattr(detection, "PATIENCE_S", 5.0)
    found = await detect({"OLLAMA_HOST": f"127.0.0.1:{port}", "OPENAI_API_KEY": "sk"}, look_for_voices=False)
    assert found.models[0] == ModelServer("Ollama", f"http://127.0.0.1:{port}/v1", ("llama3.2:1b",))
    assert found.openai_key
    assert "sk" not in repr(found)


@pytest.mark.real
@pytest.mark.parametrize(
    ("answer", "status", "models"),
    [
        ({"data": [{"id": "qwen"}, {"id": "text-embedding"}]}, 200, ("qwen",)),
        ({"data": [{"id": "qwen"}]}, 404, ()),
        ([1, 2], 200, ()),
        ({}, 200, ()),
        (b"<html>", 200, None),
    ],
)
async def test_what_others_answer(serve: Any, answer: Any, status: int, models: tuple[str, ...] | None):
    import asyncio

    port = await serve("/v1/models", answer, status)
    found = await asyncio.to_thread(ask, Place("other", "127.0.0.1", port))
    assert (found and found.models) == models


@pytest.mark.real
def test_nobody_is_nobody():
    assert ask(Place("none", "127.0.0.1", 1)) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", ("127.0.0.1", 11434)),
        ("0.0.0.0", ("127.0.0.1", 11434)),
        ("box", ("box", 11434)),
        ("box:1", ("box", 1)),
        (":1", ("127.0.0.1", 1)),
        ("http://box", ("box", 80)),
        ("http://box:2/", ("box", 2)),
        ("[::1]:3", ("::1", 3)),
    ],
)
def test_ollamas_variable_is_read_as_ollama_does(text: str, address: tuple[str, int]):
    assert ollama_address(text) == address


def test_an_address_that_is_none():
    with pytest.raises(ConfigError, match="OLLAMA_HOST"):
        ollama_address("box:port")


@pytest.mark.real
async def test_voices_of_the_local_network(monkeypatch: pytest.MonkeyPatch):
    async def browse(kind: str, *, seconds: float) -> list[Service]:
        assert (kind, seconds) == (discovery.WYOMING, 1.0)
        return [Service("piper", 10200, ("192.0.2.1",)), Service("six", 1, ("fe80::1",))]

    monkeypatch.setattr(discovery, "browse", browse)
    monkeypatch.setattr(detection, "places", lambda _: ())
    found = await detect({})
    assert found.voices == (
        VoiceServer("piper", "tcp://192.0.2.1:10200"),
        VoiceServer("six", "tcp://[fe80::1]:1"),
    )


@pytest.mark.real
async def test_a_machine_without_multicast(monkeypatch: pytest.MonkeyPatch):
    async def browse(kind: str, *, seconds: float) -> list[Service]:
        raise NetworkUnavailable("no multicast")

    monkeypatch.setattr(discovery, "browse", browse)
    monkeypatch.setattr(detection, "places", lambda _: ())
    assert (await detect({})).voices == ()
