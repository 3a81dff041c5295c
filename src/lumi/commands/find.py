"""`lumi find`: the Lumi servers that announce themselves in the local network."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from lumi.commands.console import Console
from lumi.commands.running import DONE, NOT_WELL
from lumi.errors import ConfigError
from lumi.transport.discovery import LUMI, Service, browse

AUTO = "auto"
"""As `--url`: the one server of the local network."""


@dataclass(frozen=True, slots=True)
class FindOptions:
    """The command's arguments. `interfaces`: addresses of this machine, whose networks are searched; None: all."""

    seconds: float = 2.0
    interfaces: tuple[str, ...] | None = None
    kind: str = LUMI


async def find(console: Console, options: FindOptions) -> int:
    """List them; the exit code is 1 if there is none."""
    heard = await browse(options.kind, seconds=options.seconds, interfaces=options.interfaces)
    found = [await reached(service) for service in heard]
    servers = [
        {
            "name": service.name,
            "url": service_url(service),
            "version": service.properties.get("version", ""),
            "token": needs_token(service),
            "secure_url": secure_url(service),
        }
        for service in found
    ]
    console.result({"servers": servers})
    for service in found:
        token = console.words(zh="（需要 --token）", en="  (wants --token)") if needs_token(service) else ""
        safe = secure_url(service)
        also = console.words(zh=f"（也可用 {safe}）", en=f"  (also {safe})") if safe else ""
        console.write(f"{service_url(service)}  {service.name}{token}{also}")
    if not found:
        console.note(
            zh="局域网内没有找到服务器。",
            en="No server announces itself in the local network.",
        )
    return DONE if found else NOT_WELL


def service_url(service: Service) -> str:
    """The address for a client."""
    scheme = "wss" if service.properties.get("tls") == "1" else "ws"
    return _url(scheme, service, str(service.port))


def secure_url(service: Service) -> str:
    """The address of the port that speaks TLS as well; empty if there is none."""
    port = service.properties.get("tls_port", "")
    return _url("wss", service, port) if port.isdecimal() else ""


def _url(scheme: str, service: Service, port: str) -> str:
    host = f"[{service.host}]" if ":" in service.host else service.host
    return f"{scheme}://{host}:{port}{service.properties.get('path') or '/'}"


def needs_token(service: Service) -> bool:
    """Whether the server wants to see a token."""
    return service.properties.get("token") == "1"


async def reached(service: Service, timeout_s: float = 1.0) -> Service:
    """The service with an address first that can be reached from here: a machine may be in networks that we are not."""
    for address in service.addresses if len(service.addresses) > 1 else ():
        with suppress(OSError):  # TimeoutError is one
            async with asyncio.timeout(timeout_s):
                _, writer = await asyncio.open_connection(address, service.port)
            writer.close()
            return replace(service, addresses=(address,))
    return service


async def the_one_server(
    kind: str = LUMI, *, seconds: float = 2.0, interfaces: Sequence[str] | None = None
) -> str:
    """The address of the only server in the local network.

    Raises:
        ConfigError: there is none, or more than one: a token is not shown to whoever answers first.
        NetworkUnavailable: multicast is not possible here.
    """
    services = await browse(kind, seconds=seconds, interfaces=interfaces)
    if len(services) == 1:
        return service_url(await reached(services[0]))
    urls = [service_url(service) for service in services]
    found = f"there are several: {', '.join(urls)}" if urls else "no server announces itself"
    raise ConfigError("--url auto", f"{found}; give the address, e.g. --url ws://192.168.1.20:8000/")
