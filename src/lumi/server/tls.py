"""TLS as the settings have it: the certificate, kept fresh while the server runs, and what people are offered of it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from lumi.config import Config
from lumi.errors import ConfigError, NetworkUnavailable
from lumi.server.limits import Addresses
from lumi.server.log import Subject, logger
from lumi.server.metrics import Metrics
from lumi.server.port import Factory, reached_at
from lumi.server.tls_port import TlsDoor, secured
from lumi.transport.discovery import lan_addresses

if TYPE_CHECKING:
    from lumi.server.certificates import Certificates

LOOK_EVERY_S = 60.0
"""How often addresses, dates and files are looked at."""

AUTHORITY_PATH = "/lumi-ca.crt"
ABOUT_PATH = "/tls"
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}


class Tls:
    """The TLS side of one server; without `certificates` there is none, and everything here does nothing.

    Attributes:
        port: where it listens; None while it does not.
    """

    port: int | None = None

    def __init__(self, config: Config, metrics: Metrics, certificates: Certificates | None) -> None:
        self._config = config
        self._metrics = metrics
        self._certificates = certificates
        self._context = certificates.refresh() if certificates else None

    @asynccontextmanager
    async def serving(self, factory: Factory) -> AsyncIterator[None]:
        """Listen while this lasts, connections being served by what `factory` makes.

        Raises:
            ConfigError: the port cannot be had.
        """
        if self._context is None:
            yield
            return
        server, limits = self._config.server, self._config.limits
        door = TlsDoor(
            factory,
            self._current,
            lambda outcome: self._metrics.handshakes.labels(outcome).inc(),
            limits.hello_s,
            Addresses(limits.address_connections),
        )
        async with secured(server.host, server.tls_port, door) as self.port:
            yield

    async def run(self) -> None:
        """Until cancelled: exchange the certificate when it is due. Connections that are open keep theirs."""
        if self._certificates is None:
            return
        log, trouble = logger(Subject.SERVER), ""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                renewed = self._certificates.refresh()
            except (ConfigError, NetworkUnavailable) as error:
                if str(error) != trouble:
                    trouble = str(error)
                    log.error("certificate not renewed", error=trouble)  # noqa: TRY400 - the line says it all
                continue
            trouble = ""
            if renewed is not None:
                self._context = renewed
                log.info("certificate renewed")

    @property
    def has_authority(self) -> bool:
        """Whether clients must be given a certificate to trust, since it is nobody's else."""
        return self._certificates is not None and self._certificates.authority is not None

    def routes(self) -> list[web.RouteDef]:
        """What the page asks, and what a phone has to trust."""
        made = [web.get(ABOUT_PATH, self._about)]
        if self.has_authority:
            made.append(web.get(AUTHORITY_PATH, self._authority))
        return made

    def _current(self) -> ssl.SSLContext:
        assert self._context is not None
        return self._context

    async def _about(self, _: web.Request) -> web.Response:
        """What there is; null where there is none, for it is asked for to know."""
        if self._context is None:
            return web.json_response(None, headers=HEADERS)
        offered = AUTHORITY_PATH if self.has_authority else ""
        return web.json_response({"port": self.port, "authority": offered}, headers=HEADERS)

    async def _authority(self, _: web.Request) -> web.Response:
        assert self._certificates is not None
        headers = HEADERS | {"Content-Disposition": 'attachment; filename="lumi-ca.crt"'}
        return web.Response(
            body=self._certificates.authority, content_type="application/x-x509-ca-cert", headers=headers
        )


def open_tls(config: Config, metrics: Metrics, wall_clock: Callable[[], float]) -> Tls:
    """TLS as the settings have it. What makes certificates is loaded only where they are asked for.

    Raises:
        ConfigError: the certificate, its key, or the directory for them will not do.
    """
    server = config.server
    if server.tls == "off":
        return Tls(config, metrics, None)
    from lumi.server import certificates

    if server.tls == "files":
        return Tls(
            config, metrics, certificates.FileCertificates(server.tls_cert, server.tls_key, wall_clock)
        )
    folder = config.data_dir / certificates.FOLDER
    names = lambda: own_names(server.host)  # noqa: E731 - asked again and again
    return Tls(config, metrics, certificates.LocalCertificates(folder, names, wall_clock))


def own_names(host: str) -> tuple[str, ...]:
    """By which a server that listens on `host` may be called from this machine and from others."""
    name = socket.gethostname()
    short = name.partition(".")[0]
    addresses = reached_at(host, lan_addresses())
    return (name, short, f"{short}.local", "localhost", "127.0.0.1", "::1", *addresses)
