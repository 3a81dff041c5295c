"""HTTP on the server's one port: any path that asks for an upgrade is the WebSocket; beside it the web page, health and counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from aiohttp import web

from lumi.errors import ConnectionLost
from lumi.server.audit import AuditLog
from lumi.server.auth import REFUSALS, UNTIL_THE_HELLO, Doorkeeper, Verdict
from lumi.server.gateway import Gateway
from lumi.server.log import Subject, logger
from lumi.server.metrics import CONTENT_TYPE, Metrics
from lumi.server.web_files import SAFETY, web_routes
from lumi.transport.websocket import accept, is_upgrade, request_info

NOT_FOUND = (
    "404: there is nothing here. The page is at /, health at /healthz, counts at /metrics; "
    "a WebSocket may be opened at any path.\n"
)
BODY_S = 120.0
"""How long a request that brings something along may take, its answer included."""

Route = Callable[[web.Request], Awaitable[web.StreamResponse]]

Health = Callable[[], str]
"""Empty when the server is ready, else what it waits for."""

EngineReport = Callable[[], Mapping[str, object]]
"""How the engines are, by kind."""


class HttpApi:
    """Answers requests; hands upgraded ones to the gateway.

    Args:
        audit: where refusals are noted.
        routes: what other modules serve beside the web page, `/healthz` and `/metrics`.
    """

    def __init__(
        self,
        gateway: Gateway,
        doorkeeper: Doorkeeper,
        metrics: Metrics,
        health: Health,
        version: str,
        *,
        max_frame_bytes: int,
        audit: AuditLog | None = None,
        engines: EngineReport = dict,
        routes: Iterable[web.RouteDef] = (),
    ) -> None:
        self._gateway = gateway
        self._audit = audit or AuditLog(metrics, time.time)
        self._doorkeeper = doorkeeper
        self._metrics = metrics
        self._health = health
        self._version = version
        self._engines = engines
        self._max_frame_bytes = max_frame_bytes
        self._log = logger(Subject.HTTP)
        self._routes = (
            web.get("/healthz", self._healthz),
            web.get("/metrics", self._counts),
            *web_routes(),
            *routes,
        )

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=64 * 1024, middlewares=[self._guard])
        app.add_routes(self._routes)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Route) -> web.StreamResponse:
        """Take upgrades, whatever their path (clients in the field use many); say what is not served here."""
        return await (self._upgrade(request) if is_upgrade(request) else self._answer(request, handler))

    async def _answer(self, request: web.Request, handler: Route) -> web.StreamResponse:
        try:
            async with asyncio.timeout(BODY_S if request.can_read_body else None):
                return await handler(request)
        except TimeoutError:
            return web.Response(status=408, text=f"408: not done within {BODY_S:g} s.\n", headers=SAFETY)
        except web.HTTPNotFound:
            return web.Response(status=404, text=NOT_FOUND, headers=SAFETY)
        except web.HTTPMethodNotAllowed as refusal:
            allowed = ", ".join(sorted(refusal.allowed_methods))
            text = f"405: only {allowed} is served here.\n"
            return web.Response(status=405, text=text, headers=SAFETY | {"Allow": allowed})

    async def _upgrade(self, request: web.Request) -> web.StreamResponse:
        info = request_info(request)
        admission = self._doorkeeper.judge(info)
        refusal = REFUSALS.get(admission.verdict)
        if "origin" in info.headers and admission.verdict in UNTIL_THE_HELLO:
            refusal = None  # a page cannot set headers: the gateway looks for a token in its hello
        if refusal is not None:
            self._audit.refused(admission.verdict, info, admission.device_id)
            if "origin" not in info.headers or admission.verdict is Verdict.BAD_ORIGIN:
                status, words = refusal
                return web.Response(status=status, text=f"{status}: {words}.\n", headers=SAFETY)
        try:
            link = await accept(request, info, max_frame_bytes=self._max_frame_bytes)
            if refusal is None:
                await self._gateway.serve(link, admission)
            else:
                await self._gateway.refuse(link, refusal[1])
        except ConnectionLost:
            self._log.debug("left before the upgrade", remote=info.remote)
            return web.Response(status=400, text="400: the connection closed before it was upgraded.\n")
        return link.response

    async def _healthz(self, _: web.Request) -> web.Response:
        """200 when ready and some engine of each kind works; else 503, and says why."""
        waiting = self._health()
        body = {
            "status": waiting or "ready",
            "version": self._version,
            "links": len(self._gateway),
            "engines": self._engines(),
        }
        return web.json_response(body, status=503 if waiting else 200, headers=SAFETY)

    async def _counts(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers=SAFETY | {"Content-Type": CONTENT_TYPE})
