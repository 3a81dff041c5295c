"""The door of the admin HTTP API: a token of its own, from everybody, this machine included.

The token lies in a file that its owner alone may read. `lumi token admin` makes and prints it; without it nobody comes in.
Loopback is no exception: every program and every web page on this machine could come from there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from lumi.errors import ConfigError, StoreError
from lumi.server.audit import AuditLog, Reason
from lumi.server.household import Conflict, NotThere
from lumi.server.identity import shown_token
from lumi.server.log import Subject, logger
from lumi.server.secret_file import SecretFile
from lumi.server.tokens import same
from lumi.transport.websocket import request_info

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MISTAKES: dict[type[Exception], tuple[int, str, str]] = {
    msgspec.ValidationError: (422, "bad_request", ""),
    msgspec.DecodeError: (400, "bad_json", "the body is not JSON: "),
    UnicodeDecodeError: (400, "bad_json", "the body is not JSON: "),
    RecursionError: (400, "bad_json", "the body is not JSON: "),
    web.RequestPayloadError: (400, "bad_body", "the body is not what the headers say: "),
    web.HTTPRequestEntityTooLarge: (413, "too_large", "the body is larger than any that makes sense here: "),
    StoreError: (500, "internal", ""),
    ConfigError: (500, "internal", ""),
}
"""What may go wrong: status, code, and words before the error's own. The first that fits counts."""


class Admin:
    """Lets requests to handlers pass, and says in JSON what was wrong."""

    def __init__(self, token: SecretFile, audit: AuditLog) -> None:
        self._token = token
        self._audit = audit

    def guarded(self, handler: Handler) -> Handler:
        """The handler, for who shows the token."""

        async def guard(request: web.Request) -> web.StreamResponse:
            if not self._may_pass(request):
                self._audit.refused(Reason.BAD_ADMIN_TOKEN, request_info(request))
                refusal = failure(
                    401,
                    "unauthorized",
                    "send `Authorization: Bearer <token>`; lumi token admin prints the token",
                )
                refusal.headers["WWW-Authenticate"] = "Bearer"
                return refusal
            return await answered(handler, request)

        return guard

    def _may_pass(self, request: web.Request) -> bool:
        try:
            token = self._token.read()
        except ConfigError as error:
            logger(Subject.HTTP).error("the admin token cannot be used", error=str(error))
            return False
        if token is None or "Authorization" not in request.headers:
            return False
        return same(shown_token(request_info(request)), token)


async def answered(handler: Handler, request: web.Request) -> web.StreamResponse:
    """What the handler says, or in JSON why it cannot."""
    try:
        return await handler(request)
    except NotThere as error:
        return failure(404, error.code, str(error.args[0]))
    except Conflict as error:
        return failure(409, error.code, str(error))
    except tuple(MISTAKES) as error:
        status, code, what = next(told for kind, told in MISTAKES.items() if isinstance(error, kind))
        return failure(status, code, what + str(error))


def failure(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=HEADERS)


def success(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), content_type="application/json", status=status, headers=HEADERS
    )
