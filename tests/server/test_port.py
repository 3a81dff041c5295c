import asyncio
import errno
import logging
import socket

import pytest
from aiohttp import web

from lumi.config.serving import ServerSettings
from lumi.errors import ConfigError
from lumi.server.port import authority, listening, reached_at, refusal


@pytest.mark.real
async def test_a_free_port_is_taken_and_given_back():
    async with listening(web.Application(), ServerSettings(port=0)) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
        with pytest.raises(ConfigError, match=f"{port} is in use on 127.0.0.1") as caught:
            async with listening(web.Application(), ServerSettings(port=port)):
                pass
        assert caught.value.key == "server.port"
    async with listening(web.Application(), ServerSettings(port=port)) as again:
        assert again == port


@pytest.mark.real
async def test_a_handler_that_fails_is_logged_and_a_request_that_is_none_is_not_repeated(caplog):
    async def fail(_: web.Request) -> web.Response:
        raise RuntimeError("out of order")

    caplog.set_level(logging.DEBUG)
    application = web.Application()
    application.add_routes([web.get("/", fail)])
    async with listening(application, ServerSettings(port=0)) as port:
        for line, status in ((b"GET / HTTP/1.1", b"500"), (b"GET /?token=hush\xff HTTP/1.1", b"400")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(line + b"\r\nHost: h\r\n\r\n")
            assert (await reader.readline()).split()[1] == status
            writer.close()
            await writer.wait_closed()
    assert "out of order" in caplog.text
    assert "no HTTP" in caplog.text
    assert "hush" not in caplog.text


@pytest.mark.real
async def test_an_address_of_another_machine_cannot_be_had():
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1 is no address of this machine") as caught:
        async with listening(web.Application(), ServerSettings(host="192.0.2.1", port=0)):
            pass
    assert caught.value.key == "server.host"


@pytest.mark.parametrize(
    ("error", "port", "key", "words"),
    [
        (OSError(errno.EADDRINUSE, "x"), 8000, "server.port", "LUMI_PORT=8001"),
        (OSError(errno.EADDRINUSE, "x"), 65_535, "server.port", "LUMI_PORT=8000"),
        (OSError(errno.EACCES, "x"), 80, "server.port", "choose one from 1024 up"),
        (OSError(errno.EADDRNOTAVAIL, "x"), 8000, "server.host", "choose one it has"),
        (socket.gaierror(-2, "x"), 8000, "server.host", "no address and no name"),
        (OSError(errno.ENOBUFS, "no room"), 8000, "server.port", "cannot be had (no room)"),
        (OSError("several words"), 8000, "server.port", "cannot be had (several words)"),
    ],
)
def test_every_refusal_names_the_setting_to_change(error, port, key, words):
    refused = refusal(error, "host.example", port)
    assert refused.key == key
    assert words in str(refused)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1:8"),
        ("0.0.0.0", "127.0.0.1:8"),
        ("::", "[::1]:8"),
        ("[::1]", "[::1]:8"),
        ("localhost", "localhost:8"),
    ],
)
def test_where_to_connect_to(host, shown):
    assert authority(host, 8) == shown


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("0.0.0.0", ("192.0.2.1",)),
        ("[::]", ("fd00::1",)),
        ("::", ("fd00::1",)),
        ("192.0.2.7", ("192.0.2.7",)),
        ("[fd00::7]", ("fd00::7",)),
    ],
)
def test_a_server_is_reached_at_the_addresses_of_the_family_it_listens_to(host, reached):
    assert reached_at(host, ("192.0.2.1", "fd00::1")) == reached
