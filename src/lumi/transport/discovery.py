"""Services that are found in the local network by themselves: multicast DNS (RFC 6762) and DNS-SD (RFC 6763).

`announce` says that one is there for as long as a block runs, `keep_announced` until it is cancelled, through networks
that come and go, and `browse` lists those that are there. Where multicast is not possible, `NetworkUnavailable` says why.

zeroconf is loaded when it is first needed: it takes longer than a server may take to start.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lumi.errors import NetworkUnavailable

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

LUMI = "_lumi._tcp.local."
"""A Lumi server. Its properties: `version`, `path` (`/`), `tls` (`1`: `wss`), `tls_port` (where it speaks `wss` as well),
`token` (`1`: it wants to see one)."""

WYOMING = "_wyoming._tcp.local."
"""A service that speaks the Wyoming protocol; Home Assistant looks for these."""

MAX_SERVICES = 256
"""Of one kind, in one search; what comes beyond is not looked at."""

LABEL_BYTES = 63
"""Longest name (RFC 1035, 2.3.4)."""

ROOM_BYTES = len("-999")
"""For the number that a name gets which is taken."""

PROPERTY_BYTES = 255
"""Longest `key=value` (RFC 6763, 6.1)."""


@dataclass(frozen=True, slots=True)
class Service:
    """One that was found."""

    name: str
    port: int
    addresses: tuple[str, ...]
    """IPv4 first; not empty."""
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The address to try first."""
        return self.addresses[0]


def lan_addresses() -> tuple[str, ...]:
    """Addresses by which others in the network reach this machine, IPv4 first. Empty: it is in none.

    Raises:
        NetworkUnavailable: that cannot be found out now, e.g. for want of file descriptors.
    """
    return tuple(text for text in _own_addresses() if _is_reached(text))


def _own_addresses() -> tuple[str, ...]:
    import ifaddr

    try:
        found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    except OSError as error:
        raise NetworkUnavailable(f"this machine's addresses cannot be found out: {error}") from error
    texts = sorted((ip if isinstance(ip, str) else ip[0] for ip in found), key=lambda text: ":" in text)
    return tuple(dict.fromkeys(texts))


def _is_reached(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)


@asynccontextmanager
async def announce(
    kind: str,
    name: str,
    port: int,
    *,
    properties: Mapping[str, str] | None = None,
    addresses: Sequence[str] | None = None,
    interfaces: Sequence[str] | None = None,
) -> AsyncIterator[str]:
    """Announce a service while the block runs; gives the name it goes by: one that is taken gets a number.

    Entering takes about a second (others are asked whether the name is theirs), leaving a quarter: best beside
    everything else.

    Args:
        kind: `LUMI`, `WYOMING`, or another.
        name: for people; shortened where it is too long.
        port: where it listens.
        properties: what a client has to know before it connects.
        addresses: where it listens; by default all by which this machine is reached.
        interfaces: addresses of this machine, whose networks are told; by default all.

    Raises:
        NetworkUnavailable: multicast is not possible here, or this machine is in no network.
    """
    where = lan_addresses() if addresses is None else tuple(addresses)
    if not where:
        raise NetworkUnavailable("nothing to announce: this machine is in no network")
    async with _multicast(interfaces) as zeroconf:
        info = _record(kind, name, port, where, properties or {})
        repeats = await _tried(zeroconf.async_register_service(info, allow_name_change=True))
        try:
            yield info.name.removesuffix(f".{kind}")
        finally:
            repeats.cancel()
            await asyncio.gather(repeats, return_exceptions=True)


async def keep_announced(
    kind: str,
    name: str,
    port: int,
    *,
    properties: Mapping[str, str] | None = None,
    addresses: Callable[[], Sequence[str]] = lan_addresses,
    interfaces: Sequence[str] | None = None,
    told: Callable[[str], None] = lambda _: None,
    look_every_s: float = 30.0,
) -> None:
    """Announce a service until cancelled, as `announce` does; a job to run beside a server. Raises nothing.

    `addresses` is asked every `look_every_s` seconds: when they change, so does what is announced. `told` gets a line
    when the service is announced, and one when it no longer can be.
    """
    trouble = ""
    while True:
        try:
            where = tuple(addresses())
            async with announce(
                kind, name, port, properties=properties, addresses=where, interfaces=interfaces
            ) as known_as:
                trouble = ""
                told(f"announced in the local network as '{known_as}' ({', '.join(where)}, port {port})")
                await _until_changed(addresses, where, look_every_s)
        except NetworkUnavailable as error:
            if str(error) != trouble:
                trouble = str(error)
                told(trouble)
            await asyncio.sleep(look_every_s)


async def _until_changed(
    addresses: Callable[[], Sequence[str]], where: tuple[str, ...], look_every_s: float
) -> None:
    while True:
        await asyncio.sleep(look_every_s)
        with suppress(NetworkUnavailable):  # nothing is known to have changed
            if tuple(addresses()) != where:
                return


async def browse(
    kind: str, *, seconds: float = 2.0, interfaces: Sequence[str] | None = None
) -> list[Service]:
    """The services of a kind that are announced now, by name; takes `seconds`.

    Raises:
        NetworkUnavailable: multicast is not possible here.
    """
    found: dict[str, Service] = {}

    async def resolve(zeroconf: AsyncZeroconf, name: str) -> None:
        from zeroconf import DNSQuestionType

        info = await zeroconf.async_get_service_info(
            kind, name, round(seconds * 1000), question_type=DNSQuestionType.QM
        )
        service = info and _service(kind, info)
        if service:
            found[name] = service

    async with _multicast(interfaces) as zeroconf, _watched(zeroconf, kind, found) as names:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as looking:
                for _ in range(MAX_SERVICES):
                    looking.create_task(resolve(zeroconf, await names.get()))
    return sorted(found.values(), key=lambda service: service.name)


@asynccontextmanager
async def _watched(
    zeroconf: AsyncZeroconf, kind: str, found: dict[str, Service]
) -> AsyncIterator[asyncio.Queue[str]]:
    """Names as they are heard; one that says goodbye leaves `found`."""
    from zeroconf import DNSQuestionType, ServiceStateChange
    from zeroconf.asyncio import AsyncServiceBrowser

    names: asyncio.Queue[str] = asyncio.Queue(MAX_SERVICES)  # later ones are dropped

    def changed(name: str, state_change: ServiceStateChange, **_: object) -> None:
        if state_change is ServiceStateChange.Added:
            with suppress(asyncio.QueueFull):
                names.put_nowait(name)
        elif state_change is ServiceStateChange.Removed:
            found.pop(name, None)

    # Answers to all (RFC 6762, 5.4): one sent to this machine alone reaches whichever of its programs with port 5353
    # the kernel picks, a server of its own or its resolver.
    async with AsyncServiceBrowser(
        zeroconf.zeroconf, kind, handlers=[changed], question_type=DNSQuestionType.QM
    ):
        yield names


@asynccontextmanager
async def _multicast(interfaces: Sequence[str] | None) -> AsyncIterator[AsyncZeroconf]:
    """Sockets in the multicast group of the networks that are named, or of all."""
    try:
        from zeroconf import InterfaceChoice
        from zeroconf.asyncio import AsyncZeroconf
    except ImportError as error:
        raise NetworkUnavailable(
            f"services cannot be announced or found: {error}; pip install 'lumi-assistant[server]'"
        ) from error
    strange = set(interfaces or ()) - set(_own_addresses())
    if strange:
        raise NetworkUnavailable(f"{', '.join(sorted(strange))} is no address of this machine")
    try:
        zeroconf = AsyncZeroconf(interfaces=list(interfaces) if interfaces else InterfaceChoice.All)
    except (OSError, RuntimeError) as error:
        raise _impossible(error) from error
    try:
        await _tried(zeroconf.zeroconf.async_wait_for_start(timeout=5))
        if not zeroconf.zeroconf.engine.senders:
            raise _impossible("no network interface takes it")
        yield zeroconf
    finally:
        await zeroconf.async_close()


async def _tried(work: Coroutine[Any, Any, Any]) -> Any:
    from zeroconf import Error

    try:
        return await work
    except (Error, OSError) as error:
        raise _impossible(str(error) or type(error).__name__) from error


def _impossible(reason: object) -> NetworkUnavailable:
    return NetworkUnavailable(
        f"services cannot be announced or found in the local network: multicast is not possible ({reason}); "
        "name the address instead"
    )


def _record(
    kind: str, name: str, port: int, addresses: tuple[str, ...], properties: Mapping[str, str]
) -> AsyncServiceInfo:
    from zeroconf.asyncio import AsyncServiceInfo

    texts = {
        key: _cut(str(value), PROPERTY_BYTES - len(f"{key}=".encode())) for key, value in properties.items()
    }
    return AsyncServiceInfo(
        kind,
        f"{label(name)}.{kind}",
        port=port,
        properties=texts,
        server=f"lumi-{uuid.getnode():012x}-{port}.local.",  # nobody else says goodbye to this host
        parsed_addresses=list(addresses),
    )


def label(name: str) -> str:
    """A name as it can be announced: no dots (they part labels), no control characters, not too long, not empty."""
    plain = re.sub(r"\s+", " ", re.sub(r"[\x00-\x1f\x7f]", "", name.replace(".", "-"))).strip()
    return _cut(plain, LABEL_BYTES - ROOM_BYTES).strip() or "Lumi"


def _cut(text: str, size_bytes: int) -> str:
    return text.encode()[:size_bytes].decode(errors="ignore")


def _service(kind: str, info: AsyncServiceInfo) -> Service | None:
    """What a record says, if it says where the service is."""
    addresses = tuple(info.parsed_scoped_addresses())
    if not addresses or not info.port:
        return None
    properties = {key: value or "" for key, value in info.decoded_properties.items()}
    return Service(info.name.removesuffix(f".{kind}"), info.port, addresses, properties)
