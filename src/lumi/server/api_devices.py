"""`/api/v1`: the household's devices over HTTP. What each answers stands in `/api/v1/openapi.json`."""

from __future__ import annotations

from functools import cached_property

import msgspec
from aiohttp import web

from lumi.server.admin import Admin, failure, success
from lumi.server.audit import AuditLog
from lumi.server.household import DeviceChanges, Household, PairingRequest
from lumi.server.openapi import document

BASE = "/api/v1"


class DevicesApi:
    """Handlers over the household."""

    def __init__(self, household: Household, admin: Admin, audit: AuditLog, version: str) -> None:
        self._household = household
        self._admin = admin
        self._audit = audit
        self._version = version

    @cached_property
    def _document(self) -> bytes:
        """Made when somebody asks for it."""
        return msgspec.json.encode(document(self._version))

    def routes(self) -> list[web.RouteDef]:
        """All but the description ask for the admin token."""
        guarded, one = self._admin.guarded, f"{BASE}/devices/{{id}}"
        return [
            web.get(f"{BASE}/openapi.json", self._describe),
            web.get(f"{BASE}/devices", guarded(self._list)),
            web.get(one, guarded(self._get)),
            web.patch(one, guarded(self._change)),
            web.delete(one, guarded(self._forget)),
            web.post(f"{one}/revoke", guarded(self._revoke)),
            web.post(f"{one}/rotate", guarded(self._rotate)),
            web.post(f"{one}/token", guarded(self._token)),
            web.post(f"{BASE}/pairings", guarded(self._pair)),
            web.get(f"{BASE}/refusals", guarded(self._refusals)),
            web.route("*", f"{BASE}/{{rest:.*}}", self._nothing),
        ]

    async def _describe(self, _: web.Request) -> web.Response:
        return web.Response(body=self._document, content_type="application/json")

    async def _list(self, _: web.Request) -> web.Response:
        return success({"devices": self._household.devices()})

    async def _get(self, request: web.Request) -> web.Response:
        return success(self._household.device(request.match_info["id"]))

    async def _change(self, request: web.Request) -> web.Response:
        changes = msgspec.json.decode(await request.read(), type=DeviceChanges)
        return success(await self._household.change(request.match_info["id"], changes))

    async def _forget(self, request: web.Request) -> web.Response:
        await self._household.forget(request.match_info["id"])
        return web.Response(status=204)

    async def _revoke(self, request: web.Request) -> web.Response:
        return success(await self._household.revoke(request.match_info["id"]))

    async def _rotate(self, request: web.Request) -> web.Response:
        return success(await self._household.rotate(request.match_info["id"]))

    async def _token(self, request: web.Request) -> web.Response:
        return success(await self._household.token(request.match_info["id"]))

    async def _pair(self, request: web.Request) -> web.Response:
        wanted = msgspec.json.decode(await request.read(), type=PairingRequest)
        return success(await self._household.pair(wanted.code))

    async def _refusals(self, _: web.Request) -> web.Response:
        return success({"refusals": self._audit.latest})

    async def _nothing(self, _: web.Request) -> web.Response:
        return failure(404, "not_found", f"there is nothing here; {BASE}/openapi.json says what is")
