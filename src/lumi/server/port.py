"""The one port: bound, or refused with the setting to change."""

from __future__ import annotations

import errno
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from lumi.config.serving import ServerSettings
from lumi.errors import ConfigError

BACKLOG = 1024
"""Connections that may wait to be accepted: devices come back all at once after a restart."""

CLEANUP_S = 2.0
"""How long requests that are still being answered may take when the port is closed."""

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what to connect to when listening everywhere

PROBLEMS = {
    errno.EADDRINUSE: (
        "server.port",
        "{port} is in use on {host}: stop what uses it, or choose another, e.g. LUMI_PORT={other} (0 takes any free one)",
    ),
    errno.EACCES: (
        "server.port",
        "{port} may not be used by this user: choose one from 1024 up, e.g. LUMI_PORT=8000",
    ),
    errno.EADDRNOTAVAIL: (
        "server.host",
        "{host} is no address of this machine: choose one it has, e.g. LUMI_HOST=127.0.0.1",
    ),
}


@asynccontextmanager
async def listening(
    application: web.Application, settings: ServerSettings, *, request_s: float = 10.0
) -> AsyncIterator[int]:
    """Listen while this lasts; gives the port. A connection that makes no whole request within `request_s` is closed.

    Raises:
        ConfigError: the address or the port cannot be had; names the setting.
    """
    runner = web.AppRunner(
        application,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=CLEANUP_S,
        keepalive_timeout=request_s,  # runs from the first moment, also while a request trickles in
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host.strip("[]"), settings.port, backlog=BACKLOG)
        try:
            await site.start()
        except OSError as error:
            raise refusal(error, settings.host, settings.port) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def refusal(error: OSError, host: str, port: int) -> ConfigError:
    """What to change so that the port can be had."""
    if isinstance(error, socket.gaierror):
        return ConfigError(
            "server.host", f"{host} is no address and no name that is known; e.g. LUMI_HOST=127.0.0.1"
        )
    # asyncio puts what several addresses said into one error without a number; uvloop keeps the number.
    key, problem = PROBLEMS.get(error.errno or 0, ("server.port", "{port} on {host} cannot be had ({error})"))
    other = port + 1 if port < 65_535 else 8000
    return ConfigError(key, problem.format(port=port, host=host, other=other, error=error.strerror or error))


def reached_at(host: str, addresses: Sequence[str]) -> tuple[str, ...]:
    """Of this machine's addresses, those by which a server that listens on `host` is reached.

    Listening on all of one family is no listening on the other's: a socket is for one of them.
    """
    bare = host.strip("[]")
    if bare not in ANY_ADDRESS:
        return (bare,)
    return tuple(address for address in addresses if (":" in address) == (":" in bare))


def authority(host: str, port: int) -> str:
    """`host:port` for an address that one can connect to."""
    bare = host.strip("[]")
    bare = ANY_ADDRESS.get(bare, bare)
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"
