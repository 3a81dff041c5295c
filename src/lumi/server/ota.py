"""Where devices ask for their settings: where to connect, with which token, newer firmware, or how to be let in."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from lumi.errors import ConfigError, LumiError, Overloaded, RateLimited
from lumi.server.audit import AuditLog
from lumi.server.auth import Doorkeeper, Standing, Verdict, crowded
from lumi.server.firmware import Firmware
from lumi.server.guest import words
from lumi.server.identity import client_name, device_name, printable
from lumi.server.log import Subject, logger
from lumi.server.registry import DeviceRegistry
from lumi.transport.websocket import request_info

OTA = "/xiaozhi/ota/"
WEBSOCKET = "/xiaozhi/v1/"
FIRMWARE = f"{OTA}firmware/"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "content-type, device-id, client-id",
}
HEADERS = CORS | {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
AUTHORITY = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Report:
    """What a device says of itself."""

    device_id: str
    client_id: str
    board: str
    version: str
    name: str


@dataclass(frozen=True, slots=True)
class OtaSettings:
    """What answers are made from.

    Attributes:
        address: `host:port` for a device that does not say whom it asked.
        timezone_of: the IANA name of a device's time zone, by its id.
        language: of what a device shows, unless it says its own.
    """

    address: Callable[[], str]
    timezone_of: Callable[[str], str]
    language: str = "en"


class Ota:
    """Answers at `/xiaozhi/ota/`."""

    def __init__(
        self,
        doorkeeper: Doorkeeper,
        registry: DeviceRegistry,
        audit: AuditLog,
        firmware: Firmware,
        settings: OtaSettings,
        wall_clock: Callable[[], float],
    ) -> None:
        self._doorkeeper = doorkeeper
        self._registry = registry
        self._audit = audit
        self._firmware = firmware
        self._settings = settings
        self._wall_clock = wall_clock

    def routes(self) -> list[web.RouteDef]:
        """With and without the last slash, since devices ask both."""
        made = []
        for path in (OTA, OTA.rstrip("/")):
            made += [
                web.get(path, self._status),
                web.post(path, self._ask),
                web.options(path, self._preflight),
            ]
        for path in (f"{OTA}activate", f"{OTA}activate/"):
            made += [web.post(path, self._activate), web.options(path, self._preflight)]
        return [*made, web.get(FIRMWARE + "{name}", self._download)]

    async def _preflight(self, _: web.Request) -> web.Response:
        return web.Response(status=204, headers=HEADERS)

    async def _status(self, request: web.Request) -> web.Response:
        return web.Response(
            text=f"Lumi tells devices here where to connect: {self._url(request)}\n", headers=HEADERS
        )

    async def _ask(self, request: web.Request) -> web.Response:
        try:
            report = read_report(request, await request.read())
        except (ValueError, web.RequestPayloadError) as error:
            return _refusal(400, "bad_request", str(error))
        except web.HTTPRequestEntityTooLarge as error:
            return _refusal(413, "too_large", f"the body is too large: {error.text}")
        standing = self._doorkeeper.standing(request_info(request), report.device_id)
        if standing is Standing.REVOKED:
            return self._revoked(request, report.device_id)
        answer: dict[str, Any] = {
            "server_time": self._time(report.device_id),
            "firmware": self._offer(request, report),
            "websocket": {"url": self._url(request), "token": ""},
        }
        try:
            if standing is Standing.MEMBER:
                answer["websocket"]["token"] = await self._registry.token_for(report.device_id)
                self._registry.note_here(report.device_id)
            elif standing is Standing.STRANGER:
                answer["activation"] = await self._activation(request, report)
        except Overloaded as error:
            return self._crowded(request, report.device_id, error)
        except LumiError as error:
            where = "the secret" if isinstance(error, ConfigError) else "the store"
            logger(Subject.ERROR).error("no token and no code", error=str(error), what=where)
            return _refusal(500, "internal", f"{where} cannot be used; the server's log says why")
        return web.json_response(answer, headers=HEADERS)

    async def _activate(self, request: web.Request) -> web.Response:
        """202 as long as nobody has confirmed the code. What firmware proves with the challenge cannot be checked here."""
        info = request_info(request)
        device_id = device_name(info, None)
        if device_id is None:
            return _refusal(400, "bad_request", "the header Device-Id is missing")
        standing = self._doorkeeper.standing(info, device_id)
        if standing is Standing.REVOKED:
            return self._revoked(request, device_id)
        if standing in {Standing.OPEN, Standing.MEMBER}:
            return web.json_response({"message": "Device activated", "device_id": device_id}, headers=HEADERS)
        return web.json_response(
            {"message": "Waiting until somebody confirms the code"}, status=202, headers=HEADERS
        )

    async def _download(self, request: web.Request) -> web.StreamResponse:
        path = self._firmware.find(request.match_info["name"])
        if path is None:
            return _refusal(404, "not_found", "there is no such firmware file")
        headers = HEADERS | {"Content-Type": "application/octet-stream"}
        return web.FileResponse(path, headers=headers)

    async def _activation(self, request: web.Request, report: Report) -> dict[str, str]:
        code = await self._registry.ask(
            report.device_id,
            report.client_id,
            address=request_info(request).remote,
            model=report.board,
            name=report.name,
        )
        language = request.headers.get("Accept-Language", "") or self._settings.language
        message = f"{words(language)['title']}: {code.code}"
        return {"code": code.code, "message": message, "challenge": code.challenge}

    def _offer(self, request: web.Request, report: Report) -> dict[str, str]:
        image = self._firmware.newer(report.board, report.version)
        if image is None:
            return {"version": report.version, "url": ""}
        scheme = "https" if request.secure else "http"
        return {
            "version": image.version,
            "url": f"{scheme}://{self._authority(request)}{FIRMWARE}{image.path.name}",
        }

    def _time(self, device_id: str) -> dict[str, int]:
        now = self._wall_clock()
        offset = datetime.fromtimestamp(now, ZoneInfo(self._settings.timezone_of(device_id))).utcoffset()
        minutes = int(offset.total_seconds() // 60) if offset is not None else 0
        return {"timestamp": int(now * 1000), "timezone_offset": minutes}

    def _url(self, request: web.Request) -> str:
        return f"{'wss' if request.secure else 'ws'}://{self._authority(request)}{WEBSOCKET}"

    def _authority(self, request: web.Request) -> str:
        """The address the device asked, by which it will find us again."""
        asked = request.headers.get("Host", "")
        return asked if AUTHORITY.fullmatch(asked) else self._settings.address()

    def _crowded(self, request: web.Request, device_id: str, error: Overloaded) -> web.Response:
        self._audit.refused(crowded(error), request_info(request), device_id)
        if isinstance(error, RateLimited):
            refusal = _refusal(429, "rate_limited", f"{error}; let one of them in, or try again later")
        else:
            refusal = _refusal(503, "overloaded", f"{error}; try again later")
        if error.retry_after_s is not None:
            refusal.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
        return refusal

    def _revoked(self, request: web.Request, device_id: str) -> web.Response:
        self._audit.refused(Verdict.REVOKED, request_info(request), device_id)
        return _refusal(
            403, "revoked", "this device was shut out; only who runs this server can let it in again"
        )


def read_report(request: web.Request, said: bytes) -> Report:
    """What a device says of itself, in headers and JSON.

    Raises:
        ValueError: it makes no sense; says what is accepted.
    """
    try:
        body = json.loads(said) if said.strip() else {}
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ValueError("the body is JSON, but no object")  # noqa: TRY004 - what came, not what was called
    info = request_info(request)
    device_id = device_name(info, _text(body, "mac_address"))
    if device_id is None:
        raise ValueError("the header Device-Id is missing")
    board, application = _table(body, "board"), _table(body, "application")
    return Report(
        device_id=device_id,
        client_id=client_name(info) or printable(_text(body, "uuid")),
        board=printable(_text(board, "type") or _text(board, "name") or info.headers.get("device-model", "")),
        version=printable(_text(application, "version") or info.headers.get("device-version", "")),
        name=printable(_text(board, "name")),
    )


def _table(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = body.get(key)
    return found if isinstance(found, dict) else {}


def _text(body: Mapping[str, Any], key: str) -> str:
    found = body.get(key)
    return found if isinstance(found, str) else ""


def _refusal(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=HEADERS)
