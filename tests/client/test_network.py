from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import pytest

from lumi.client.network import NetworkChecker, Place, has_route, is_loopback, resolve_name, split_url
from lumi.errors import ConnectFailed, NetworkUnavailable

HOME = Place(socket.AF_INET, ("127.0.0.1", 80))


def resolver(*places: Place, error: Exception | None = None, takes_s: float = 0.0):
    asked: list[tuple[str, int]] = []

    async def resolve(host: str, port: int) -> Sequence[Place]:
        asked.append((host, port))
        await asyncio.sleep(takes_s)
        if error is not None:
            raise error
        return places

    return resolve, asked


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "[::1]", "lumi.localhost"])
async def test_this_machine_is_always_reached(host):
    resolve, asked = resolver()
    assert await NetworkChecker(resolve, lambda _: False).is_connected(f"ws://{host}:8000/")
    assert asked == []


@pytest.mark.parametrize(
    ("url", "port"), [("ws://house/", 80), ("wss://house/x", 443), ("ws://house:8000/?token=secret", 8000)]
)
async def test_a_name_with_a_route(url, port):
    resolve, asked = resolver(HOME)
    await NetworkChecker(resolve, lambda place: place is HOME).check(url)
    assert asked == [("house", port)]


async def test_one_address_with_a_route_will_do():
    other = Place(socket.AF_INET6, ("2001:db8::2", 80, 0, 0))
    resolve, _ = resolver(other, HOME)
    assert await NetworkChecker(resolve, lambda place: place is HOME).is_connected("ws://house/")


async def test_no_route():
    resolve, _ = resolver(HOME)
    with pytest.raises(NetworkUnavailable, match=r"no route leads to 10[.]0[.]0[.]9"):
        await NetworkChecker(resolve, lambda _: False).check("ws://10.0.0.9/")


async def test_no_resolver():
    resolve, _ = resolver(error=socket.gaierror(socket.EAI_AGAIN, "try again"))
    with pytest.raises(NetworkUnavailable, match="no resolver answers for house"):
        await NetworkChecker(resolve, lambda _: True).check("ws://house/")


async def test_a_resolver_that_never_answers():
    resolve, _ = resolver(takes_s=60)
    start = asyncio.get_running_loop().time()
    with pytest.raises(NetworkUnavailable, match="within 5 s"):
        await NetworkChecker(resolve, lambda _: True).check("ws://house/")
    assert asyncio.get_running_loop().time() - start == pytest.approx(5)


@pytest.mark.parametrize(
    "error", [socket.gaierror(socket.EAI_NONAME, "unknown"), UnicodeError("label too long")]
)
async def test_an_unknown_name_is_the_network_s_fault_only_without_any_way_out(error):
    resolve, _ = resolver(error=error)
    assert await NetworkChecker(resolve, lambda _: True).is_connected("ws://hosue/")
    assert not await NetworkChecker(resolve, lambda _: False).is_connected("ws://hosue/")


@pytest.mark.parametrize(
    "url", ["house", "ftp://house/", "ws:///x", "ws://house:x/", "ws://house:0/", "ws://[::1/", ""]
)
async def test_what_is_no_address_is_said_at_once(url):
    with pytest.raises(ConnectFailed, match="no WebSocket address"):
        split_url(url)
    with pytest.raises(ConnectFailed):
        await NetworkChecker().is_connected(url)


def test_a_token_is_not_shown():
    with pytest.raises(ConnectFailed) as caught:
        split_url("ftp://house/?token=secret")
    assert "secret" not in str(caught.value)


def test_what_is_not_this_machine():
    assert not is_loopback("192.168.1.2")
    assert not is_loopback("localhost.example")


@pytest.mark.real
async def test_the_machine_s_own_routes_and_figures():
    (place, *_) = await resolve_name("127.0.0.1", 9)
    assert place == Place(socket.AF_INET, ("127.0.0.1", 9))
    assert has_route(place)
    assert not has_route(Place(socket.AF_INET, ("255.255.255.255", 9)))  # a broadcast needs leave
