"""How many sockets one address may hold open: those over which requests come, and those over which nothing is ever said.

Without it one stranger has all the files that the process may open, and nobody else comes in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from lumi.server.limits import Addresses

TOLD_EVERY_S = 1.0
"""Whoever knocks a thousand times a second is not a thousand lines of the log."""

WORDS = (
    b"429: your address has as many connections as one may have (the server's setting limits.address_connections); "
    b"close one, or try again later.\n"
)
ANSWER = (
    b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Retry-After: 30\r\nContent-Length: %d\r\n\r\n%s" % (len(WORDS), WORDS)
)


class OpenSockets:
    """Counts the connections of a server, and ends those that are too many at once, before anything is read.

    Args:
        addresses: how many there may be from one.
        refused: told of an address that has too many, once in `TOLD_EVERY_S`.
    """

    def __init__(self, addresses: Addresses, refused: Callable[[str], None]) -> None:
        self._addresses = addresses
        self._refused = refused
        self._told_at = -TOLD_EVERY_S
        self._here: dict[web.RequestHandler, str] = {}  # as many as there are connections

    def watch(self, server: web.Server) -> None:
        """From now on: this server's, whichever port they come by. aiohttp has no other place to say so."""
        made, lost = server.connection_made, server.connection_lost

        def connection_made(handler: web.RequestHandler, transport: asyncio.Transport) -> None:
            self._come(handler, transport)
            made(handler, transport)

        def connection_lost(handler: web.RequestHandler, exc: BaseException | None = None) -> None:
            self._go(handler)
            lost(handler, exc)

        server.connection_made = connection_made  # type: ignore[method-assign]
        server.connection_lost = connection_lost  # type: ignore[method-assign]

    def __len__(self) -> int:
        """Connections now that were let in."""
        return len(self._here)

    def _come(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        if self._addresses.enter(address):
            self._here[handler] = address
            return
        loop = asyncio.get_running_loop()
        if loop.time() - self._told_at >= TOLD_EVERY_S:
            self._told_at = loop.time()
            self._refused(address)
        transport.write(ANSWER)
        # Not before aiohttp's handler has begun, which cannot do without its server.
        loop.call_soon(transport.close)

    def _go(self, handler: web.RequestHandler) -> None:
        address = self._here.pop(handler, None)
        if address is not None:
            self._addresses.leave(address)
