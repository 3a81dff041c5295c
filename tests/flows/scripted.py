"""The real server with scripted engines, listening on a free port, for flows that need a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from lumi.config import Config
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.server.app import Server
from lumi.testing import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad

CONFIG = Config(
    server=ServerSettings(port=0, drain_s=0.5),
    store=StoreSettings(engine="memory"),
    log=LogSettings(file=False, level="error"),
)


def answering(*texts: str) -> ScriptedLlm:
    """Answers with each text in turn, the last one again and again."""
    waiting = list(texts)
    return ScriptedLlm(lambda _question: waiting.pop(0) if len(waiting) > 1 else waiting[0])


@asynccontextmanager
async def scripted_lumi(config: Config = CONFIG, **engines: Any) -> AsyncIterator[Server]:
    parts: dict[str, Any] = {
        "vad": ScriptedVad(),
        "stt": ScriptedStt(),
        "llm": answering("It is noon."),
        "tts": ScriptedTts(),
    } | engines
    async with Server(config, **parts) as server:
        await server.wait_ready()
        yield server
