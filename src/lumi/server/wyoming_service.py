"""Lumi as a service of the Wyoming protocol: a port of its own, where Home Assistant finds recognition, speech and talk.

    describe                               → info
    transcribe, audio-start, audio-chunk…, audio-stop → transcript
    synthesize                             → audio-start, audio-chunk…, audio-stop
    transcript                             → handled, or not-handled
    ping                                   → pong

Every connection is bounded in what it may send and how long; what it asks for ends when it hangs up.
"""

from __future__ import annotations

import asyncio
import platform
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from lumi._version import __version__
from lumi.config import Config
from lumi.config.settings import is_loopback
from lumi.errors import ConfigError
from lumi.server.background import Background
from lumi.server.log import Subject, logger
from lumi.server.services import Services
from lumi.server.wyoming_caller import Caller, CallerSettings
from lumi.server.wyoming_talks import Talks

BUSY = b'{"type":"error","data":{"text":"too many connections; try again in a while","code":"busy"}}\n'

log = logger(Subject.SERVER)


class WyomingService:
    """Takes connections, up to `limit`, as jobs of `jobs`."""

    def __init__(self, services: Services, jobs: Background, settings: CallerSettings, *, limit: int) -> None:
        self._services = services
        self._jobs = jobs
        self._settings = settings
        self._limit = limit
        self._talks = Talks(services, lambda: uuid.uuid4().hex)
        self.connections = 0

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection from now on, or say that there are too many."""
        if self.connections >= self._limit:
            writer.write(BUSY)
            writer.close()
            return
        self.connections += 1
        self._jobs.start("wyoming connection", self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = f"wyoming-{uuid.uuid4().hex[:12]}"
        try:
            await Caller(reader, writer, self._services, self._talks, self._settings, name).run()
        except* Exception:
            log.exception("a Wyoming connection failed", peer=name)
        finally:
            self.connections -= 1


@asynccontextmanager
async def wyoming_offered(config: Config, services: Services) -> AsyncIterator[WyomingService | None]:
    """The service while this lasts, where the settings want it; announced where others can reach it.

    Raises:
        ConfigError: the address or the port cannot be had.
    """
    wyoming = config.wyoming
    if not wyoming.port:
        yield None
        return
    host = (wyoming.host or config.server.host).strip("[]")
    settings = CallerSettings(
        version=__version__,
        text_chars=config.limits.chat_chars,
        utterance_s=config.turn.max_speech_s,
        idle_s=config.limits.idle_s,
    )
    async with Background() as jobs:
        service = WyomingService(services, jobs, settings, limit=wyoming.connections)
        try:
            server = await asyncio.start_server(service.accept, host, wyoming.port)
        except OSError as error:
            problem = (
                f"{wyoming.port} on {host} cannot be had ({error.strerror or error}); choose another, or 0"
            )
            raise ConfigError("wyoming.port", problem) from error
        async with server:
            log.info("offered over Wyoming", host=host, port=wyoming.port)
            if not is_loopback(host):
                jobs.start("announce wyoming", _announced(config, host))
            yield service


async def _announced(config: Config, host: str) -> None:
    from lumi.transport.discovery import WYOMING, keep_announced, lan_addresses

    wyoming = config.wyoming
    name = wyoming.name or f"Lumi on {platform.node().split('.')[0]}"
    everywhere = host in {"0.0.0.0", "::"}  # noqa: S104 - where it listens, not where to connect to
    where = lan_addresses if everywhere else partial(tuple[str, ...], (host,))
    await keep_announced(
        WYOMING, name, wyoming.port, addresses=where, told=lambda line: log.info("wyoming", announced=line)
    )
