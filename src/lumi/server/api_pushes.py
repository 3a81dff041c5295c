"""`/api/v1`: words for a device, sent, listed and taken back over HTTP."""

from __future__ import annotations

import msgspec
from aiohttp import web

from lumi.server.admin import Admin, success
from lumi.server.pushes import Pushes, PushRequest

BASE = "/api/v1"


class PushesApi:
    """Handlers over `Pushes`; all of them ask for the admin token."""

    def __init__(self, pushes: Pushes, admin: Admin) -> None:
        self._pushes = pushes
        self._admin = admin

    def routes(self) -> list[web.RouteDef]:
        """To be served before the devices' ones, which answer for what is not there."""
        guarded = self._admin.guarded
        return [
            web.post(f"{BASE}/devices/{{id}}/say", guarded(self._say)),
            web.get(f"{BASE}/pushes", guarded(self._list)),
            web.delete(f"{BASE}/pushes/{{id}}", guarded(self._cancel)),
        ]

    async def _say(self, request: web.Request) -> web.Response:
        wanted = msgspec.json.decode(await request.read(), type=PushRequest)
        return success(await self._pushes.say(request.match_info["id"], wanted))

    async def _list(self, _: web.Request) -> web.Response:
        return success({"pushes": await self._pushes.all()})

    async def _cancel(self, request: web.Request) -> web.Response:
        await self._pushes.cancel(request.match_info["id"])
        return web.Response(status=204)
