"""The plain port: bound, or refused with the setting to change."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from lumi.config.serving import ServerSettings
from lumi.errors import ConfigError
from lumi.server.log import Subject, logger

BACKLOG = 1024
"""Connections that may wait to be accepted: devices come back all at once after a restart."""

CLEANUP_S = 2.0
"""How long requests that are still being answered may take when the port is closed."""

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what to connect to when listening everywhere

SETTING = "server.port"
VARIABLES = {SETTING: ("LUMI_PORT", 8000), "server.tls_port": ("LUMI_SERVER__TLS_PORT", 8443)}
"""Of each port's setting: its name in the environment, and the usual port."""

PROBLEMS = {
    errno.EADDRINUSE: (
        "",
        "{port} is in use on {host}: stop what uses it, or choose another, e.g. {variable}={other} (0 takes any free one)",
    ),
    errno.EACCES: (
        "",
        "{port} may not be used by this user: choose one from 1024 up, e.g. {variable}={usual}",
    ),
    errno.EADDRNOTAVAIL: (
        "server.host",
        "{host} is no address of this machine: choose one it has, e.g. LUMI_HOST=127.0.0.1",
    ),
}


class _Requests:
    """What aiohttp has to log of requests.

    One that is no HTTP stands in the exception's own words, its query and the token in it too: of that, only that it came.
    """

    def __init__(self) -> None:
        self._log = logger(Subject.HTTP)

    def debug(self, _: str, *__: object, **___: object) -> None:
        """Who went away in the middle; of no interest."""

    def exception(self, message: str, *values: object, exc_info: BaseException) -> None:
        if isinstance(exc_info, HttpProcessingError):
            self._log.debug("no HTTP", remote=str(values[0]) if values else "", status=exc_info.code)
        elif isinstance(
            exc_info, web.RequestPayloadError | ConnectionError
        ):  # its handler was told, and has answered
            self._log.debug("no whole body", remote=str(values[0]) if values else "")
        else:
            self._log.error(message % values, exc_info=exc_info)


Factory = Callable[[], asyncio.BaseProtocol]


@asynccontextmanager
async def listening(
    application: web.Application,
    settings: ServerSettings,
    request_s: float = 10.0,
    beside: Callable[[Factory], AbstractAsyncContextManager[None]] = lambda _: nullcontext(),
    watch: Callable[[web.Server], None] = lambda _: None,
) -> AsyncIterator[int]:
    """Listen while this lasts; gives the port.

    Args:
        application: what is served.
        settings: host and port.
        request_s: a connection that makes no whole request within this time is closed.
        watch: told of the server before anybody comes.
        beside: entered for as long: another port, whose connections the given factory's protocols serve.

    Raises:
        ConfigError: the address or the port cannot be had; names the setting.
    """
    runner = web.AppRunner(
        application,
        access_log=None,
        logger=_Requests(),
        handle_signals=False,
        shutdown_timeout=CLEANUP_S,
        keepalive_timeout=request_s,  # runs from the first moment, also while a request trickles in
    )
    await runner.setup()
    assert runner.server is not None
    watch(runner.server)
    try:
        site = web.TCPSite(runner, settings.host.strip("[]"), settings.port, backlog=BACKLOG)
        try:
            await site.start()
        except OSError as error:
            raise refusal(error, settings.host, settings.port) from error
        async with beside(runner.server):
            yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def refusal(error: OSError, host: str, port: int, setting: str = SETTING) -> ConfigError:
    """What to change so that the port can be had."""
    if isinstance(error, socket.gaierror):
        return ConfigError(
            "server.host", f"{host} is no address and no name that is known; e.g. LUMI_HOST=127.0.0.1"
        )
    # asyncio puts what several addresses said into one error without a number; uvloop keeps the number.
    key, problem = PROBLEMS.get(error.errno or 0, ("", "{port} on {host} cannot be had ({error})"))
    variable, usual = VARIABLES[setting]
    text = problem.format(
        port=port,
        host=host,
        other=port + 1 if port < 65_535 else usual,
        variable=variable,
        usual=usual,
        error=error.strerror or error,
    )
    return ConfigError(key or setting, text)


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
