"""One session's connection to a realtime speech model: JSON events over a WebSocket, and what the model has been told.

The WebSocket library is loaded with the first connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from lumi.errors import EngineError, Trouble

if TYPE_CHECKING:
    import aiohttp

    from lumi.engines.base import ChatMessage, ToolSpec

LARGEST_EVENT_BYTES: Final = 16 * 1024 * 1024

_BY_STATUS: Final = {
    401: Trouble.KEY_REFUSED,
    403: Trouble.KEY_REFUSED,
    402: Trouble.NO_CREDIT,
    404: Trouble.UNKNOWN_MODEL,
    429: Trouble.BUSY,
}

_BY_CODE: Final = {
    "invalid_api_key": Trouble.KEY_REFUSED,
    "model_not_found": Trouble.UNKNOWN_MODEL,
    "invalid_model": Trouble.UNKNOWN_MODEL,
    "rate_limit_exceeded": Trouble.BUSY,
    "insufficient_quota": Trouble.NO_CREDIT,
    "content_filter": Trouble.REFUSED,
}
_LASTING: Final = frozenset({Trouble.KEY_REFUSED, Trouble.UNKNOWN_MODEL, Trouble.NO_CREDIT, Trouble.REFUSED})


def failure(engine: str, message: str, trouble: Trouble) -> EngineError:
    return EngineError(engine, message, trouble=trouble, retryable=trouble not in _LASTING)


def trouble_of(error: Mapping[str, Any]) -> Trouble:
    """Of which kind an `error` in the service's words is."""
    return _BY_CODE.get(str(error.get("code")), Trouble.FAILED)


@dataclass(slots=True)
class SpokenItem:
    """A piece of speech that the model remembers having said. Milliseconds within the answer."""

    id: str
    start_ms: float
    length_ms: float = 0.0


@dataclass(slots=True)
class Line:
    """An open connection. `messages` is how much of the dialogue the model knows."""

    engine: str
    http: aiohttp.ClientSession
    socket: aiohttp.ClientWebSocketResponse
    timeout_s: float
    settings: dict[str, Any] = field(default_factory=dict)
    messages: int = 0
    free: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no turn goes on over it."""

    @property
    def open(self) -> bool:
        return not self.socket.closed

    async def send(self, kind: str, **fields: Any) -> None:
        """Send one event.

        Raises:
            EngineError: the connection is gone.
        """
        try:
            await self.socket.send_str(msgspec.json.encode({"type": kind} | fields).decode())
        except (ConnectionError, RuntimeError) as error:
            raise failure(self.engine, f"the connection broke ({error})", Trouble.UNREACHABLE) from error

    async def receive(self, timeout_s: float | None = None) -> dict[str, Any]:
        """The next event.

        Raises:
            EngineError: none in time, the connection is gone, or what came is no event.
        """
        limit_s = self.timeout_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(limit_s):
                message = await self.socket.receive()
        except TimeoutError:
            raise failure(self.engine, f"no event within {limit_s:g} s", Trouble.SLOW) from None
        if not isinstance(message.data, str):
            why = f"closed with {self.socket.close_code}: {message.extra}"
            raise failure(self.engine, f"the connection broke ({why})", Trouble.UNREACHABLE)
        try:
            return msgspec.json.decode(message.data, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise failure(self.engine, f"sent what is no event ({error})", Trouble.GARBLED) from error

    async def configure(self, settings: dict[str, Any]) -> None:
        """Tell the session how to be, where that has changed."""
        if settings != self.settings:
            await self.send("session.update", session=settings)
            self.settings = settings

    async def tell(self, dialogue: list[ChatMessage]) -> None:
        """What was said before this connection."""
        for message in dialogue:
            kind = "output_text" if message.role == "assistant" else "input_text"
            content = [{"type": kind, "text": message.content}]
            item = {"type": "message", "role": message.role, "content": content}
            await self.send("conversation.item.create", item=item)

    async def aclose(self) -> None:
        await self.socket.close()
        await self.http.close()


async def dial(engine: str, url: str, api_key: str, timeout_s: float) -> Line:
    """Connect.

    Raises:
        EngineError: no connection came about; `trouble` says of which kind the reason is.
    """
    import aiohttp

    http = aiohttp.ClientSession()
    try:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        async with asyncio.timeout(timeout_s):
            socket = await http.ws_connect(url, headers=headers, max_msg_size=LARGEST_EVENT_BYTES)
    except aiohttp.WSServerHandshakeError as error:
        await http.close()
        trouble = _BY_STATUS.get(error.status, Trouble.FAILED)
        what = f"the service at {url} {_refusal(trouble)} (HTTP {error.status})"
        raise failure(engine, what, trouble) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:  # a timeout is an OSError
        await http.close()
        why = f"{str(error) or 'no answer'}); is it running? Check duplex.base_url"
        what = f"the service at {url} cannot be reached ({why}"
        raise failure(engine, what, Trouble.UNREACHABLE) from error
    except BaseException:
        await http.close()
        raise
    return Line(engine, http, socket, timeout_s)


def mend(trouble: Trouble) -> str:
    """What to do about an error that came over the line; empty, where there is nothing to set."""
    return {
        Trouble.KEY_REFUSED: "; set duplex.api_key",
        Trouble.UNKNOWN_MODEL: "; set duplex.model",
        Trouble.NO_CREDIT: "; top up the account, or set another duplex.api_key",
    }.get(trouble, "")


def _refusal(trouble: Trouble) -> str:
    """What a service that lets nobody in means, and what to set."""
    return {
        Trouble.KEY_REFUSED: "does not accept the key; set duplex.api_key",
        Trouble.UNKNOWN_MODEL: "has no such model, or no such address; set duplex.model or duplex.base_url",
        Trouble.NO_CREDIT: "has no credit left for this account; top it up, or set another duplex.api_key",
        Trouble.BUSY: "is busy; try again later",
    }.get(trouble, "refused the connection")


def tool(spec: ToolSpec) -> dict[str, Any]:
    """A tool in the service's words."""
    return {
        "type": "function",
        "name": spec.name,
        "description": spec.description,
        "parameters": dict(spec.parameters) or {"type": "object", "properties": {}},
    }
