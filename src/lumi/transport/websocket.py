"""WebSocket links over aiohttp: `accept` in a server's request handler, `connect` as a client.

No sub-protocol, no compression (sound does not compress, small JSON does not pay), no pings of our own: small boards do
not answer them; a dead line is found by TCP keepalive. Pings of the peer are answered while somebody receives.
What goes wrong while connecting is said in one line, with the mend.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Mapping
from typing import Any, cast

import aiohttp
from aiohttp import web
from yarl import URL

from lumi.errors import ConnectFailed, ConnectionLost, ConnectionRefused, NetworkError
from lumi.transport.base import LinkInfo
from lumi.transport.websocket_link import CLOSE_WAIT_S, WebSocketLink

MAX_FRAME_BYTES = 64 * 1024
"""What a server takes: the wire's limit for a text frame; the protocol has a lower one for binary frames."""

CLIENT_MAX_FRAME_BYTES = 1024 * 1024
"""What a client takes from its server."""

_HARD_LIMIT_FACTOR = 4
"""A frame up to this many times too long is still read, so that its sender can be told by a clean close; one that
announces more is never read."""

_REFUSALS = {
    401: "the server wants a valid token (HTTP 401): give one with --token or LUMI_TOKEN",
    403: "the server will not have this client (HTTP 403): its origin or its token is not allowed there",
}

_SCHEMES = frozenset({"ws", "wss", "http", "https"})

_EXAMPLE = "ws://127.0.0.1:8000/"


class ServerLink(WebSocketLink):
    """The server's end. aiohttp wants its handler to return `response` when the link's life is over."""

    __slots__ = ("response",)

    def __init__(
        self,
        response: web.WebSocketResponse,
        transport: asyncio.Transport,
        info: LinkInfo,
        *,
        max_frame_bytes: int,
    ) -> None:
        super().__init__(response, transport, info, max_frame_bytes=max_frame_bytes)
        self.response = response


def is_upgrade(request: web.BaseRequest) -> bool:
    """Whether a client asks for a WebSocket; `Connection` may list several tokens (`keep-alive, Upgrade`)."""
    tokens = {token.strip().lower() for token in request.headers.get("Connection", "").split(",")}
    return "upgrade" in tokens and request.headers.get("Upgrade", "").strip().lower() == "websocket"


def request_info(request: web.BaseRequest) -> LinkInfo:
    """What a request says of the peer; usable before (and without) accepting it."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if request.secure:  # by which scheme it was asked: said as a proxy says it
        headers.setdefault("x-forwarded-proto", "https")
    return LinkInfo(
        path=request.path,
        headers=headers,
        query={name.lower(): value for name, value in request.query.items()},
        remote=request.remote or "",
    )


async def accept(
    request: web.BaseRequest, info: LinkInfo | None = None, *, max_frame_bytes: int = MAX_FRAME_BYTES
) -> ServerLink:
    """Upgrade a request and return the server's end; the handler returns `link.response` to aiohttp afterwards.

    `info` is the `request_info` of the request, where somebody has made that already. A longer frame than `max_frame_bytes` closes the connection with 1009.

    Raises:
        aiohttp.web.HTTPBadRequest: the request is no proper upgrade (let it go on to aiohttp: it is the answer).
        ConnectionLost: the peer has gone already.
    """
    response = web.WebSocketResponse(
        timeout=CLOSE_WAIT_S * 2,
        compress=False,
        max_msg_size=max_frame_bytes * _HARD_LIMIT_FACTOR,
    )
    transport = request.transport
    if transport is None:
        raise ConnectionLost(1006, "the peer left before it was answered")
    try:
        await response.prepare(request)
    except ConnectionError as error:
        raise ConnectionLost(1006, str(error)) from error
    except ValueError as error:  # a key with letters that no key has
        raise web.HTTPBadRequest(text=f"400: this is no proper upgrade: {error}.\n") from error
    return ServerLink(response, transport, info or request_info(request), max_frame_bytes=max_frame_bytes)


class _ClientSocket(aiohttp.ClientWebSocketResponse):
    """Keeps hold of the transport, which `WebSocketLink` needs to know its limits."""

    def __init__(self, reader: Any, writer: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(reader, writer, *args, **kwargs)
        self.transport: asyncio.Transport = writer.transport


async def connect(
    url: str,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 10.0,
    *,
    ssl_context: ssl.SSLContext | None = None,
    max_frame_bytes: int = CLIENT_MAX_FRAME_BYTES,
) -> WebSocketLink:
    """Open a WebSocket to `url` (`ws://` or `wss://`).

    Raises:
        ConnectFailed: no connection came about within `timeout_s`; trying again may help.
        ConnectionRefused: HTTP 401 or 403: trying again with the same credentials is useless.
    """
    address = _address(url)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1, force_close=True),
        ws_response_class=_ClientSocket,
        timeout=aiohttp.ClientTimeout(total=None),
    )
    try:
        ws = await _upgrade(
            session, address, headers, timeout_s, max_msg_size=max_frame_bytes, ssl=ssl_context or True
        )
    except BaseException:  # also a caller that was cancelled leaves no socket behind
        await session.close()
        raise
    info = LinkInfo(
        path=address.path,
        headers={name.lower(): value for name, value in (headers or {}).items()},
        query={name.lower(): value for name, value in address.query.items()},
        remote=f"{address.host}:{address.port}",
    )
    return WebSocketLink(ws, ws.transport, info, max_frame_bytes=max_frame_bytes, release=session.close)


async def _upgrade(
    session: aiohttp.ClientSession,
    address: URL,
    headers: Mapping[str, str] | None,
    timeout_s: float,
    **options: Any,
) -> _ClientSocket:
    closing = aiohttp.ClientWSTimeout(ws_close=CLOSE_WAIT_S * 2)
    try:
        async with asyncio.timeout(timeout_s):
            ws: Any = await session.ws_connect(address, headers=headers, timeout=closing, **options)
            return cast("_ClientSocket", ws)
    except (OSError, aiohttp.ClientError) as error:  # TimeoutError is an OSError
        raise _failure(error, address, timeout_s) from error


def _address(url: str) -> URL:
    shown = url.partition("?")[0]  # the query may hold a token
    try:
        address = URL(url)
        port = address.port
    except ValueError as error:
        raise ConnectFailed(f"{shown!r} is no address ({error}): give one like {_EXAMPLE}") from error
    if address.scheme not in _SCHEMES or not address.host or not port:
        raise ConnectFailed(f"{shown!r} is no WebSocket address: give one like {_EXAMPLE}")
    return address


def _failure(error: Exception, address: URL, timeout_s: float) -> NetworkError:
    """What went wrong, for a person. The order matters: aiohttp's errors are subclasses of one another."""
    place = f"{address.host}:{address.port}"
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return _refusal(error.status, address)
    if isinstance(error, TimeoutError):
        return ConnectFailed(
            f"{place} did not answer within {timeout_s:g} s: is it the right address and port?"
        )
    for kind, text in _FAILURES.items():
        if isinstance(error, kind):
            detail = getattr(getattr(error, "certificate_error", None), "verify_message", "") or error
            return ConnectFailed(text.format(place=place, host=address.host, error=detail))
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno == errno.ECONNREFUSED:
        return ConnectFailed(f"nothing listens at {place}: start the server there, or check the address")
    return ConnectFailed(f"no connection to {place}: {error}")


_FAILURES: dict[type[Exception], str] = {
    aiohttp.ClientConnectorDNSError: "the name {host} is not known: check its spelling, or this machine's network",
    aiohttp.ClientConnectorCertificateError: "{place} shows a certificate that this machine does not trust ({error}): give "
    "its authority's with --ca FILE, LUMI_CA or lumi.connect(ca=…); a Lumi server offers its own at /lumi-ca.crt",
    aiohttp.ClientSSLError: "{place} does not speak TLS as it should: try ws:// instead of wss:// ({error})",
    aiohttp.ServerDisconnectedError: "{place} hung up without an answer: is it a WebSocket server?",
}


def _refusal(status: int, address: URL) -> NetworkError:
    if status in _REFUSALS:
        return ConnectionRefused(status, _REFUSALS[status])
    place = f"{address.host}:{address.port}"
    if status in (429, 503):
        return ConnectFailed(f"{place} is busy (HTTP {status}): try again in a while")
    return ConnectFailed(
        f"{place} answers {address.path} with HTTP {status} instead of a WebSocket: check host, port and path"
    )
