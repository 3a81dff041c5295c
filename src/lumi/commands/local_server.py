"""Which server a command talks to: the one named, one found in the network, the one running here, or one started for it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from lumi.commands.console import Console
from lumi.commands.find import AUTO, the_one_server
from lumi.commands.running import load_extra
from lumi.errors import ConfigError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
PROBE_TIMEOUT_S = 2.0
ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104
"""Addresses a server listens on that are no address to connect to."""

_PROBE_BYTES = 4096


def local_address(environ: Mapping[str, str] = os.environ) -> tuple[str, int]:
    """Where a server of this machine would listen: `LUMI_HOST` and `LUMI_PORT`.

    Raises:
        ConfigError: `LUMI_PORT` is no port.
    """
    host = environ.get("LUMI_HOST", "") or DEFAULT_HOST
    port = environ.get("LUMI_PORT", "") or str(DEFAULT_PORT)
    if not port.isdecimal() or int(port) > 65535:
        raise ConfigError("LUMI_PORT", f"{port!r} is no port; accepted: a number from 0 to 65535")
    return (DEFAULT_HOST if host in ANY_ADDRESS else host), int(port)


async def health(host: str, port: int, timeout_s: float = PROBE_TIMEOUT_S) -> Mapping[str, object] | None:
    """What a Lumi server at this address says of itself (`status`, `version`); None if there is none."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                request = f"GET /healthz HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode("ascii", "replace"))
                answer = await reader.read(_PROBE_BYTES)
            finally:
                writer.close()
    except OSError:  # TimeoutError is one
        return None
    return parse_health(answer)


def parse_health(answer: bytes) -> Mapping[str, object] | None:
    """The body of a `/healthz` answer, if it is Lumi's."""
    _, _, body = answer.partition(b"\r\n\r\n")
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) and {"status", "version"} <= value.keys() else None


def websocket_url(host: str, port: int) -> str:
    """The address for a client."""
    return f"ws://[{host}]:{port}/" if ":" in host else f"ws://{host}:{port}/"


@asynccontextmanager
async def server_url(
    url: str | None,
    console: Console,
    *,
    environ: Mapping[str, str] = os.environ,
    wait_ready: bool = False,
) -> AsyncIterator[str]:
    """The address to connect to, for as long as the block runs.

    Args:
        url: the address asked for; `auto`: the one server in the local network; None: the server running here, or else
            one started in this process.
        console: is told when one is started.
        environ: where `LUMI_HOST` and `LUMI_PORT` are looked up.
        wait_ready: wait until the engines of a server started here have loaded.

    Raises:
        ConfigError: a setting is wrong, the server's packages are not installed, or `auto` finds none or several.
        EngineUnavailable: an engine of the server started here cannot load.
    """
    if url is not None:
        yield await the_one_server() if url == AUTO else url
        return
    host, port = local_address(environ)
    if port and await health(host, port) is not None:
        yield websocket_url(host, port)
        return
    console.note(
        zh=f"{host}:{port} 没有运行中的服务器：在本进程内启动一个。",
        en=f"No server is running at {host}:{port}: starting one in this process.",
    )
    async with started_server(wait_ready=wait_ready, environ=environ) as address:
        yield address


@asynccontextmanager
async def started_server(*, wait_ready: bool, environ: Mapping[str, str] = os.environ) -> AsyncIterator[str]:
    """A server of this process, on a free port of the loopback."""
    app = load_extra("lumi.server.app", extra="server", command="this command, without --url,")
    config = load_extra("lumi.config", extra="server", command="this command, without --url,")
    settings = config.load(flags={"server.host": DEFAULT_HOST, "server.port": 0}, environ=environ)
    async with app.Server(settings) as server:
        if wait_ready:
            await server.wait_ready()
        yield server.url
