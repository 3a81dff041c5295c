from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.commands.screen import AS_JSON, ENGLISH, Screen

from lumi.commands import local_server
from lumi.commands.local_server import health, local_address, parse_health, server_url, websocket_url
from lumi.errors import ConfigError


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, ("127.0.0.1", 8000)),
        ({"LUMI_HOST": "", "LUMI_PORT": ""}, ("127.0.0.1", 8000)),
        ({"LUMI_HOST": "0.0.0.0", "LUMI_PORT": "9"}, ("127.0.0.1", 9)),
        ({"LUMI_HOST": "home.example"}, ("home.example", 8000)),
    ],
)
def test_where_a_server_of_this_machine_would_be(environ, address):
    assert local_address(environ) == address


@pytest.mark.parametrize("port", ["http", "-1", "70000", "8.5"])
def test_a_port_that_is_none(port):
    with pytest.raises(ConfigError, match=f"LUMI_PORT: '{port}' is no port"):
        local_address({"LUMI_PORT": port})


def test_addresses_for_a_client():
    assert websocket_url("127.0.0.1", 8000) == "ws://127.0.0.1:8000/"
    assert websocket_url("::1", 8000) == "ws://[::1]:8000/"


def test_only_lumi_s_health_is_believed():
    ready = b'HTTP/1.1 200 OK\r\nA: b\r\n\r\n{"status": "ready", "version": "1.0", "links": 0}'
    found = parse_health(ready)
    assert found is not None
    assert found["version"] == "1.0"
    for answer in (b"", b"HTTP/1.1 200 OK\r\n\r\n<html>", b'x\r\n\r\n{"status":"ok"}', b"x\r\n\r\n[1]"):
        assert parse_health(answer) is None


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


HEALTHY = b'HTTP/1.1 503 x\r\n\r\n{"status": "starting", "version": "1.0"}'


@pytest.mark.real
async def test_a_server_that_runs_is_used():
    async with answering(HEALTHY) as port:
        environ = {"LUMI_PORT": str(port)}
        async with server_url(None, ENGLISH, environ=environ) as url:
            assert url == f"ws://127.0.0.1:{port}/"


@pytest.mark.real
@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", None])
async def test_another_program_on_the_port_is_no_server(answer):
    async with answering(answer) as port:
        assert await health("127.0.0.1", port, timeout_s=0.2) is None


async def test_an_address_that_was_given_is_believed():
    async with server_url("ws://home/", ENGLISH, environ={"LUMI_PORT": "nonsense"}) as url:
        assert url == "ws://home/"


async def test_auto_means_the_one_in_the_network(monkeypatch: pytest.MonkeyPatch):
    async def the_one_server() -> str:
        return "ws://192.168.1.20:8000/"

    monkeypatch.setattr(local_server, "the_one_server", the_one_server)
    async with server_url("auto", ENGLISH) as url:
        assert url == "ws://192.168.1.20:8000/"


@pytest.mark.real
async def test_where_none_runs_one_is_started_and_said_so(screen: Screen, monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    asked = []

    @asynccontextmanager
    async def started(*, wait_ready: bool, environ: object) -> AsyncIterator[str]:
        asked.append(wait_ready)
        yield "ws://started/"

    monkeypatch.setattr(local_server, "started_server", started)
    async with server_url(None, AS_JSON, environ={"LUMI_PORT": str(port)}, wait_ready=True) as url:
        assert url == "ws://started/"
    out, err = screen.read()
    assert out == ""
    assert err == f"No server is running at 127.0.0.1:{port}: starting one in this process.\n"
    assert asked == [True]


async def test_port_zero_is_never_looked_at(monkeypatch: pytest.MonkeyPatch):
    @asynccontextmanager
    async def started(**_options: object) -> AsyncIterator[str]:
        yield "ws://started/"

    monkeypatch.setattr(local_server, "started_server", started)
    async with server_url(None, ENGLISH, environ={"LUMI_PORT": "0"}) as url:
        assert url == "ws://started/"
