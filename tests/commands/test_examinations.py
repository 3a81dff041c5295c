from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.client import sound_library
from tests.commands.screen import CHINESE, ENGLISH

from lumi.commands import examinations
from lumi.commands.examinations import Finding
from lumi.errors import ConfigError, EngineError, EngineUnavailable, OpusUnavailable


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """No settings of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("LUMI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LUMI_DATA_DIR", str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("version", "verdict"),
    [((3, 10, 9), "missing"), ((3, 11, 0), "ok"), ((3, 13, 1), "ok"), ((3, 14, 0), "missing")],
)
async def test_python(monkeypatch: pytest.MonkeyPatch, version, verdict):
    monkeypatch.setattr(sys, "version_info", version)
    finding = await examinations.python(ENGLISH)
    assert finding.verdict == verdict
    assert ("install Python" in finding.mend) == (verdict == "missing")


async def test_settings(monkeypatch: pytest.MonkeyPatch):
    assert (await examinations.settings(ENGLISH)).verdict == "ok"
    monkeypatch.setenv("LUMI_PORT", "http")
    with pytest.raises(ConfigError, match="LUMI_PORT"):
        await examinations.settings(ENGLISH)


async def test_a_store_that_can_be_made_or_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    finding = await examinations.store(ENGLISH)
    assert finding == Finding("ok", f"writable: {tmp_path / 'data'}")
    assert not (tmp_path / "data").exists()

    def refused(**_options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    finding = await examinations.store(CHINESE)
    assert finding.verdict == "missing"
    assert "不可写" in finding.found
    assert "LUMI_DATA_DIR" in finding.mend


@pytest.mark.real
async def test_a_port_that_is_free_or_taken(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    monkeypatch.setenv("LUMI_PORT", str(port))
    assert (await examinations.port(ENGLISH)).verdict == "ok"
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        finding = await examinations.port(ENGLISH)
        assert finding.verdict == "missing"
        assert finding.found == f"127.0.0.1:{port} is taken by another program"
        assert "LUMI_PORT" in finding.mend


@pytest.mark.real
async def test_a_port_that_is_lumi_s_own(monkeypatch: pytest.MonkeyPatch):
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"status": "ready", "version": "1.0"}')
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    monkeypatch.setenv("LUMI_PORT", str(server.sockets[0].getsockname()[1]))
    finding = await examinations.port(ENGLISH)
    server.close()
    await server.wait_closed()
    assert finding.verdict == "ok"
    assert finding.found.startswith("Lumi 1.0 is running at 127.0.0.1:")


async def test_opus(monkeypatch: pytest.MonkeyPatch):
    assert (await examinations.opus(ENGLISH)).verdict == "ok"

    def none() -> None:
        raise OpusUnavailable("install it")

    monkeypatch.setattr(examinations, "load_library", none)
    with pytest.raises(OpusUnavailable):
        await examinations.opus(ENGLISH)


class Engine:
    """Starts as `starting` says."""

    name = "double"

    def __init__(self, starting: Any = None) -> None:
        self.starting = starting
        self.closed = False

    async def start(self) -> None:
        if self.starting is not None:
            await self.starting()

    async def aclose(self) -> None:
        self.closed = True


def registry(monkeypatch: pytest.MonkeyPatch, made: Any) -> list[tuple[str, str]]:
    """A registry that creates `made`, or raises it; the calls."""
    calls: list[tuple[str, str]] = []

    def create(kind: str, name: str, _options: Any) -> Any:
        calls.append((kind, name))
        if isinstance(made, Exception):
            raise made
        return made

    module = ModuleType("lumi.engines.registry")
    module.create = create  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lumi.engines.registry", module)
    return calls


async def test_an_engine_is_really_started_and_ended(monkeypatch: pytest.MonkeyPatch):
    engine = Engine()
    calls = registry(monkeypatch, engine)
    assert await examinations.tts(ENGLISH) == Finding("ok", "espeak")
    assert calls == [("tts", "espeak")]
    assert engine.closed


async def test_an_engine_without_a_start_is_only_made(monkeypatch: pytest.MonkeyPatch):
    registry(monkeypatch, object())
    assert await examinations.vad(ENGLISH) == Finding("ok", "silero")


async def test_the_embedded_recogniser_s_limits_are_noted(monkeypatch: pytest.MonkeyPatch):
    registry(monkeypatch, Engine())
    finding = await examinations.stt(ENGLISH)
    assert finding.verdict == "note"
    assert "English" in finding.found
    monkeypatch.setenv("LUMI_STT__ENGINE", "wyoming")
    assert await examinations.stt(ENGLISH) == Finding("ok", "wyoming")


async def test_an_engine_that_cannot_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    registry(monkeypatch, EngineUnavailable("espeak", "install it"))
    finding = await examinations.tts(ENGLISH)
    assert finding == Finding("missing", "espeak: install it", "or choose another with LUMI_TTS__ENGINE")


async def test_what_answers_is_asked_whether_it_would(monkeypatch: pytest.MonkeyPatch):
    class Service(Engine):
        async def probe(self) -> None:
            raise EngineError("openai", "the service does not accept the key; set llm.api_key")

    calls = registry(monkeypatch, Service())
    assert await examinations.llm(ENGLISH) == Finding("ok", "skills")
    assert not calls
    monkeypatch.setenv("LUMI_LLM__ENGINE", "openai")
    finding = await examinations.llm(ENGLISH)
    assert finding.verdict == "missing"
    assert "set llm.api_key" in finding.found
    assert calls == [("llm", "openai")]


async def test_a_realtime_model_is_examined_where_there_is_one(monkeypatch: pytest.MonkeyPatch):
    calls = registry(monkeypatch, Engine())
    assert await examinations.duplex(ENGLISH) is None
    monkeypatch.setenv("LUMI_DUPLEX__ENGINE", "openai_realtime")
    assert await examinations.duplex(ENGLISH) == Finding("ok", "openai_realtime")
    assert calls == [("duplex", "openai_realtime")]


async def test_an_engine_that_hangs(monkeypatch: pytest.MonkeyPatch):
    async def hang() -> None:
        await asyncio.Event().wait()

    engine = Engine(hang)
    registry(monkeypatch, engine)
    finding = await examinations.tts(CHINESE)
    assert finding.verdict == "missing"
    assert "did not start within 30 s" in finding.found
    assert engine.closed


async def test_the_microphone_is_a_note_not_a_need(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    finding = await examinations.microphone(ENGLISH)
    assert finding.verdict == "note"
    assert "pip install" in finding.found
    assert "lumi say --wav" in finding.mend
    monkeypatch.setitem(sys.modules, "miniaudio", sound_library)
    assert await examinations.microphone(ENGLISH) == Finding("ok", "there is one (ALSA)")
    assert sound_library.last().closed
