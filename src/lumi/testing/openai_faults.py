"""What a stand-in service can be told to do wrong, and doing it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import NoReturn

from aiohttp import web

FOREVER_S = 3_600.0


class Fault(StrEnum):
    """Ways to fail, in the order in which they can happen within a request."""

    SLOW = "slow"
    """Nothing comes for `slow_s`, then all goes well."""
    SILENT = "silent"
    """Nothing comes at all."""
    DROP = "drop"
    """The connection is closed without an answer."""
    UNAUTHORIZED = "unauthorized"
    NO_MODEL = "no_model"
    BUSY = "busy"
    """429 with `Retry-After`."""
    NO_CREDIT = "no_credit"
    """429, as OpenAI says it."""
    NO_BALANCE = "no_balance"
    """402, as DeepSeek says it."""
    OVERLOADED = "overloaded"
    BROKEN = "broken"
    """500."""
    PAGE = "page"
    """A page for browsers, with status 200."""
    GARBAGE = "garbage"
    """Bytes that mean nothing."""
    DROP_MIDDLE = "drop_middle"
    """The connection breaks in the middle of the answer."""
    HALF = "half"
    """The answer ends in its middle, as if it were whole."""
    STALL = "stall"
    """Half of the answer, then nothing."""
    ERROR_MIDDLE = "error_middle"
    """An error in place of the answer's second half."""
    GARBAGE_MIDDLE = "garbage_middle"


REFUSALS: dict[Fault, tuple[int, dict[str, str], str, str]] = {
    Fault.UNAUTHORIZED: (401, {}, "Incorrect API key provided.", "invalid_api_key"),
    Fault.NO_MODEL: (404, {}, "The model `gone` does not exist.", "model_not_found"),
    Fault.BUSY: (429, {"Retry-After": "7"}, "Rate limit reached.", "rate_limit_exceeded"),
    Fault.NO_CREDIT: (429, {}, "You exceeded your current quota.", "insufficient_quota"),
    Fault.NO_BALANCE: (402, {}, "Insufficient Balance", "invalid_request_error"),
    Fault.OVERLOADED: (503, {"Retry-After": "3"}, "The engine is overloaded.", "overloaded"),
    Fault.BROKEN: (500, {}, "The server had an error.", "server_error"),
}
_HALVED = frozenset({Fault.DROP_MIDDLE, Fault.HALF, Fault.STALL, Fault.ERROR_MIDDLE, Fault.GARBAGE_MIDDLE})


def refusal(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> web.Response:
    """An error as the API words it."""
    body = {"error": {"message": message, "type": code, "param": None, "code": code}}
    return web.json_response(body, status=status, headers=headers)


async def before(fault: Fault | None, request: web.Request, slow_s: float) -> web.Response | None:
    """What happens in place of an answer, or before it; None: go on."""
    if fault in REFUSALS:
        status, headers, message, code = REFUSALS[fault]
        return refusal(status, message, code, headers)
    if fault is Fault.DROP:
        drop(request)
    if fault in {Fault.SLOW, Fault.SILENT}:
        await asyncio.sleep(slow_s if fault is Fault.SLOW else FOREVER_S)
    if fault is Fault.PAGE:
        return web.Response(text="<html><h1>Welcome to nginx!</h1></html>", content_type="text/html")
    if fault is Fault.GARBAGE:
        return web.Response(body=b"\x00\xff{garbage" * 9, content_type="application/octet-stream")
    return None


async def broken(fault: Fault | None, request: web.Request, pieces: list[bytes]) -> AsyncIterator[bytes]:
    """The pieces of an answer, as far as the fault lets them come."""
    if fault not in _HALVED:
        for piece in pieces:
            yield piece
        return
    for piece in _half(fault, pieces):
        yield piece
    if fault is Fault.DROP_MIDDLE:
        drop(request)
    if fault is Fault.STALL:
        await asyncio.sleep(FOREVER_S)
    if fault is Fault.ERROR_MIDDLE:
        yield b'data: {"error": {"message": "The model crashed.", "code": 500}}\n\n'
    if fault is Fault.GARBAGE_MIDDLE:
        yield b'data: {"choices": [{"delta": \x00\n\ndata: [DONE]\n\n'


def _half(fault: Fault | None, pieces: list[bytes]) -> list[bytes]:
    """The first half; where more events follow, the one that is torn is closed first."""
    middle = max(1, len(pieces) // 2)
    if fault in {Fault.DROP_MIDDLE, Fault.HALF, Fault.STALL}:
        return pieces[:middle]
    rest = b"".join(pieces[middle:])
    return [*pieces[:middle], rest[: rest.find(b"\n\n") + 2]]


def drop(request: web.Request) -> NoReturn:
    """Break the connection."""
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError
