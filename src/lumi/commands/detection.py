"""What `lumi init` finds without being told: servers of language models on this machine, voices in the local network.

Every question has about a second, and all are asked at once; who does not answer is not there.
"""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lumi.commands.running import load_extra
from lumi.errors import ConfigError, NetworkUnavailable

PATIENCE_S = 1.0
MAX_ANSWER_BYTES = 1_000_000
OLLAMA_PORT = 11434
ANYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - where a server listens is no place to ask it at
NO_ANSWERER = ("embed", "whisper", "tts", "rerank")
"""Parts of the names of models that do not converse."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server of models may be."""

    name: str
    host: str
    port: int
    path: str = "/v1/models"


@dataclass(frozen=True, slots=True)
class ModelServer:
    """One that answered. `base_url` is of its API in OpenAI's manner."""

    name: str
    base_url: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VoiceServer:
    """A Wyoming service; which of hearing and speaking it does is not known from its announcement."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Found:
    models: tuple[ModelServer, ...] = ()
    voices: tuple[VoiceServer, ...] = ()
    openai_key: bool = False
    """`OPENAI_API_KEY` is in the environment."""


def places(environ: Mapping[str, str]) -> tuple[Place, ...]:
    """Where to look: Ollama's address (`OLLAMA_HOST`), LM Studio's and llama.cpp's usual ports on this machine."""
    here = "127.0.0.1"
    return (
        Place("Ollama", *ollama_address(environ.get("OLLAMA_HOST", "")), "/api/tags"),
        Place("LM Studio", here, 1234),
        Place("llama.cpp", here, 8080),
    )


def ollama_address(text: str) -> tuple[str, int]:
    """Host and port as Ollama reads `OLLAMA_HOST`: a host, `host:port` or a URL.

    Raises:
        ConfigError: it is none of these.
    """
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError("OLLAMA_HOST", f"{text!r} is no address; accepted: e.g. 127.0.0.1:11434") from error
    usual = {"http": 80, "https": 443}.get(parts.scheme, OLLAMA_PORT)
    return ("127.0.0.1" if host in ANYWHERE else host), (usual if port is None else port)


async def detect(environ: Mapping[str, str], *, look_for_voices: bool = True) -> Found:
    """Look everywhere at once."""
    asked = [asyncio.to_thread(ask, place) for place in places(environ)]
    voices, models = await asyncio.gather(_voices() if look_for_voices else _nobody(), asyncio.gather(*asked))
    there = tuple(one for one in models if one is not None and one.models)
    return Found(there, tuple(voices), bool(environ.get("OPENAI_API_KEY")))


def ask(place: Place) -> ModelServer | None:
    """The models of a server, if there is one; waits for its answer."""
    connection = http.client.HTTPConnection(place.host, place.port, timeout=PATIENCE_S)
    try:
        connection.request("GET", place.path)
        answer = connection.getresponse()
        told = json.loads(answer.read(MAX_ANSWER_BYTES)) if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    host = f"[{place.host}]" if ":" in place.host else place.host
    names = tuple(name for name in _names(told) if not any(part in name.lower() for part in NO_ANSWERER))
    return ModelServer(place.name, f"http://{host}:{place.port}/v1", names)


def _names(told: Any) -> Sequence[str]:
    """Ollama says `{"models": [{"name": …}]}`, others `{"data": [{"id": …}]}`."""
    if not isinstance(told, dict):
        return ()
    rows = told.get("models") or told.get("data") or ()
    named = [row.get("name") or row.get("id") for row in rows if isinstance(row, dict)]
    return [name for name in named if isinstance(name, str) and name]


async def _nobody() -> list[VoiceServer]:
    return []


async def _voices() -> list[VoiceServer]:
    """Wyoming services that announce themselves in the local network."""
    discovery = load_extra("lumi.transport.discovery", extra="server", command="lumi init")
    try:
        found = await discovery.browse(discovery.WYOMING, seconds=PATIENCE_S)
    except (NetworkUnavailable, ConfigError):
        return []
    return [VoiceServer(one.name, f"tcp://{_bracketed(one.host)}:{one.port}") for one in found]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
