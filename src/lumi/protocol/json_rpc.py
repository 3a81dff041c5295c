"""JSON-RPC 2.0 as `mcp` messages carry it: what a payload says, and which call an answer belongs to.

Devices in the field write it loosely: errors without a code, ids as text, no `jsonrpc`. All that is read; what is
written is by the book, with whole numbers for ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from lumi.errors import Overloaded, ProtocolError
from lumi.protocol.codes import ErrorCode

METHOD_NOT_FOUND = -32601
MAX_CALLS = 64
"""How many calls to one device may wait for their answer."""

Json = dict[str, Any]
CallerT = TypeVar("CallerT")


@dataclass(frozen=True, slots=True)
class Result:
    """A call was answered."""

    id: int | str
    value: Any


@dataclass(frozen=True, slots=True)
class Failure:
    """A call was refused. `code` is None where the device gives none."""

    id: int | str
    message: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The device asks something, and expects an answer."""

    id: int | str
    method: str
    params: Any = None


@dataclass(frozen=True, slots=True)
class Notification:
    """The device tells something, and expects none."""

    method: str
    params: Any = None


Incoming = Result | Failure | Request | Notification


def request(number: int, method: str, params: Json) -> Json:
    """The payload of a call."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def result(to: int | str, value: Json) -> Json:
    """The payload that answers a device's request."""
    return {"jsonrpc": "2.0", "id": to, "result": value}


def refusal(to: int | str, code: int, message: str) -> Json:
    """The payload that refuses a device's request."""
    return {"jsonrpc": "2.0", "id": to, "error": {"code": code, "message": message}}


def read(payload: Json) -> Incoming:
    """What a payload says.

    Raises:
        ProtocolError: `bad_message`: neither a call nor an answer to one.
    """
    number = _read_id(payload.get("id"))
    method = payload.get("method")
    if isinstance(method, str) and method:
        params = payload.get("params")
        return Notification(method, params) if number is None else Request(number, method, params)
    error = payload.get("error")
    if number is None or ("result" not in payload and error is None):
        problem = "mcp.payload is no JSON-RPC 2.0; accepted: `method`, or `id` with `result` or `error`"
        raise ProtocolError(ErrorCode.BAD_MESSAGE, problem)
    return Result(number, payload["result"]) if error is None else _failure(number, error)


def _failure(number: int | str, error: object) -> Failure:
    if not isinstance(error, dict):
        return Failure(number, str(error))
    code = error.get("code")
    return Failure(
        number, str(error.get("message") or "no reason given"), code if type(code) is int else None
    )


def _read_id(value: object) -> int | str | None:
    """Whole numbers may come as text or with a decimal point."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else str(value)
    is_number = isinstance(value, str) and len(value) < 16 and value.isascii() and value.isdigit()
    return int(value) if is_number else value


class Calls(Generic[CallerT]):
    """Which calls wait for their answer, and who made each. An id is used once and never again."""

    def __init__(self, limit: int = MAX_CALLS) -> None:
        self._limit = limit
        self._last = 0
        self._waiting: dict[int | str, CallerT] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, caller: CallerT) -> int:
        """A call goes out; its id.

        Raises:
            Overloaded: as many wait as may.
        """
        if len(self._waiting) >= self._limit:
            raise Overloaded(f"{self._limit} calls already wait for this device's answer")
        self._last += 1
        self._waiting[self._last] = caller
        return self._last

    def take(self, number: int | str) -> CallerT | None:
        """Who waits for this answer; None: nobody, or nobody any more (it came twice, or too late)."""
        return self._waiting.pop(number, None)

    def take_all(self) -> list[CallerT]:
        """Everybody who waits: no answer will come."""
        callers = list(self._waiting.values())
        self._waiting.clear()
        return callers
