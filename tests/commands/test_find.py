from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from tests.commands.screen import AS_JSON, ENGLISH, Screen

from lumi.commands.find import (
    FindOptions,
    find,
    needs_token,
    reached,
    secure_url,
    service_url,
    the_one_server,
)
from lumi.errors import ConfigError
from lumi.transport.discovery import Service, announce

HERE = ("127.0.0.1",)


@pytest.fixture
def options() -> FindOptions:
    return FindOptions(1.5, HERE, f"_t{uuid.uuid4().hex[:10]}._tcp.local.")


@pytest.mark.parametrize(
    ("service", "url"),
    [
        (Service("a", 8000, ("192.168.1.2",)), "ws://192.168.1.2:8000/"),
        (Service("a", 443, ("fd00::1",), {"tls": "1", "path": "/lumi"}), "wss://[fd00::1]:443/lumi"),
    ],
)
def test_the_address_of_a_server(service, url):
    assert service_url(service) == url


def test_the_address_of_the_port_that_speaks_tls_as_well():
    assert secure_url(Service("a", 8000, ("192.168.1.2",), {"tls_port": "8443"})) == "wss://192.168.1.2:8443/"
    assert secure_url(Service("a", 8000, ("192.168.1.2",), {"tls_port": "x"})) == ""
    assert secure_url(Service("a", 8000, ("192.168.1.2",))) == ""


def test_whether_a_token_is_wanted():
    assert needs_token(Service("a", 1, HERE, {"token": "1"}))
    assert not needs_token(Service("a", 1, HERE, {"token": "0"}))


@pytest.mark.real
async def test_servers_are_listed(screen: Screen, options):
    async with (
        announce(
            options.kind,
            "Kitchen",
            8001,
            properties={"token": "1", "version": "0.2.0"},
            addresses=HERE,
            interfaces=HERE,
        ),
        announce(options.kind, "Study", 8002, addresses=HERE, interfaces=HERE),
    ):
        assert await find(ENGLISH, options) == 0
        assert screen.read()[0] == (
            "ws://127.0.0.1:8001/  Kitchen  (wants --token)\nws://127.0.0.1:8002/  Study\n"
        )
        assert await find(AS_JSON, options) == 0
        assert screen.object()["servers"][0] == {
            "name": "Kitchen",
            "url": "ws://127.0.0.1:8001/",
            "version": "0.2.0",
            "token": True,
            "secure_url": "",
        }
        with pytest.raises(
            ConfigError, match=r"there are several: ws://127.0.0.1:8001/, ws://127.0.0.1:8002/"
        ):
            await the_one_server(options.kind, interfaces=HERE, seconds=1.5)


@pytest.mark.real
async def test_where_there_is_none(screen: Screen, options):
    assert await find(ENGLISH, options) == 1
    assert screen.read() == ("", "No server announces itself in the local network.\n")
    with pytest.raises(ConfigError, match="--url auto: no server announces itself; give the address"):
        await the_one_server(options.kind, interfaces=HERE, seconds=0.3)


@pytest.fixture
async def listening_port() -> AsyncIterator[int]:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.real
async def test_the_one_server_is_taken_at_an_address_that_answers(options, listening_port):
    async with announce(
        options.kind, "Lumi", listening_port, addresses=("127.0.0.1", "127.0.0.77"), interfaces=HERE
    ):
        url = await the_one_server(options.kind, interfaces=HERE, seconds=1.5)
    assert url == f"ws://127.0.0.1:{listening_port}/"


@pytest.mark.real
async def test_a_service_that_nobody_reaches_stays_as_it_was(unused_tcp_port_of_loopback):
    service = Service("a", unused_tcp_port_of_loopback, ("127.0.0.78", "127.0.0.1"))
    assert await reached(service, timeout_s=0.2) == service


@pytest.fixture
async def unused_tcp_port_of_loopback() -> int:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        return int(server.sockets[0].getsockname()[1])
