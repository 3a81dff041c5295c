"""Is there a network at all? Asked before a connection is tried: nobody is contacted but the machine's resolver."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from lumi.errors import ConnectFailed, NetworkUnavailable

RESOLVE_TIMEOUT_S = 5.0

PORTS = {"ws": 80, "wss": 443, "http": 80, "https": 443}

_UNROUTED = ((socket.AF_INET, ("192.0.2.1", 9)), (socket.AF_INET6, ("2001:db8::1", 9)))
"""Addresses that belong to nobody (RFC 5737, RFC 3849): only a default route leads there."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address of a name, as `socket` knows it."""

    family: int
    address: tuple[Any, ...]


Resolve = Callable[[str, int], Awaitable[Sequence[Place]]]
HasRoute = Callable[[Place], bool]


async def resolve_name(host: str, port: int) -> Sequence[Place]:
    """Ask the machine's resolver; an address in figures needs none.

    Raises:
        socket.gaierror: as `getaddrinfo` does.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [Place(family, address) for family, _, _, _, address in found]


def has_route(place: Place) -> bool:
    """Whether the routing table knows a way. A datagram socket sends nothing when it is connected."""
    try:
        with socket.socket(place.family, socket.SOCK_DGRAM) as probe:
            probe.connect(place.address)
    except OSError:
        return False
    return True


def split_url(url: str) -> SplitResult:
    """The parts of a WebSocket address.

    Raises:
        ConnectFailed: it is none; trying again would not help.
    """
    shown = url.partition("?")[0]  # the query may hold a token
    try:
        parts = urlsplit(url)
        usable = parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConnectFailed(f"{shown!r} is no WebSocket address: give one like ws://127.0.0.1:8000/")
    return parts


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine itself: there is always a way."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class NetworkChecker:
    """Says whether a server can be reached at all: is there a resolver, is there a route?

    Args:
        resolve: asks for a name's addresses.
        has_route: asks the routing table.
        timeout_s: how long the resolver may take.
    """

    def __init__(
        self,
        resolve: Resolve = resolve_name,
        has_route: HasRoute = has_route,
        *,
        timeout_s: float = RESOLVE_TIMEOUT_S,
    ) -> None:
        self._resolve = resolve
        self._has_route = has_route
        self._timeout_s = timeout_s

    async def is_connected(self, url: str) -> bool:
        """`check` as a question."""
        try:
            await self.check(url)
        except NetworkUnavailable:
            return False
        return True

    async def check(self, url: str) -> None:
        """Return if a connection to `url` is worth trying.

        A name that the resolver does not know is no matter of the network: connecting says so.

        Raises:
            NetworkUnavailable: no resolver answers, or no route leads there.
            ConnectFailed: `url` is no address.
        """
        parts = split_url(url)
        host = parts.hostname or ""
        if is_loopback(host):
            return
        places = await self._places(host, parts.port or PORTS[parts.scheme])
        if not any(map(self._has_route, places)):
            raise NetworkUnavailable(f"no route leads to {host}: is this machine connected?")

    async def _places(self, host: str, port: int) -> Sequence[Place]:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._resolve(host, port)
        except TimeoutError as error:
            problem = f"no resolver answered for {host} within {self._timeout_s:g} s"
            raise NetworkUnavailable(f"{problem}: is this machine connected?") from error
        except (socket.gaierror, UnicodeError) as error:
            if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
                problem = f"no resolver answers for {host}"
                raise NetworkUnavailable(f"{problem}: is this machine connected?") from error
            # Without any network some systems call every name unknown: is there a way out at all?
            return [Place(family, address) for family, address in _UNROUTED]
