"""A real server that is offered over Wyoming."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from lumi.config import Config
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.config.wyoming import WyomingSettings
from lumi.server.server import Server
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def config(**wyoming: Any) -> Config:
    return Config(
        server=ServerSettings(port=0, drain_s=0.2),
        store=StoreSettings(engine="memory"),
        log=LogSettings(file=False),
        wyoming=WyomingSettings(**{"port": free_port()} | wyoming),
    )


def scripted(**engines: Any) -> dict[str, Any]:
    return {"vad": ScriptedVad(), "stt": ScriptedStt(), "llm": ScriptedLlm(), "tts": ScriptedTts()} | engines


@asynccontextmanager
async def offered(settings: Config | None = None, **engines: Any) -> AsyncIterator[str]:
    """The address of the service."""
    settings = settings or config()
    async with Server(settings, **engines):
        yield f"tcp://127.0.0.1:{settings.wyoming.port}"
