"""Which voices a client may wish for: those that the engine itself names. `GET /voices` tells them to a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from lumi.engines.base import Tts, Voice
from lumi.server.kit import Kit
from lumi.server.web_files import SAFETY

PATH = "/voices"


def named_by(engine: Tts) -> tuple[str, ...]:
    """The voices of an engine, as it calls them; none where it does not tell."""
    return tuple(getattr(engine, "voice_names", ()))


def chosen(kit: Kit, wish: str) -> Voice:
    """The voice for one turn: the client's wish counts where nothing is said of its device and the engine knows it."""
    voice = kit.settings.voice
    if not wish or kit.overrides.voice is not None or wish not in named_by(kit.tts):
        return voice
    return replace(voice, name=wish)


def voice_routes(kit: Callable[[], Kit]) -> list[web.RouteDef]:
    """`kit`: what turns are made with now."""

    async def tell(_: web.Request) -> web.Response:
        said: dict[str, Any] = {"voices": named_by(kit().tts)}
        return web.json_response(said, headers=SAFETY)

    return [web.get(PATH, tell)]
