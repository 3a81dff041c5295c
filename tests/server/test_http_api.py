import asyncio
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from tests.server.doubles import HELLO, Shell, counted, shell

from lumi.config.serving import ServerSettings
from lumi.server.auth import Doorkeeper, Rules
from lumi.server.http_api import HttpApi
from lumi.server.origins import Origins
from lumi.server.port import listening
from lumi.server.registry import DeviceRegistry
from lumi.server.secret_file import SecretFile
from lumi.store.memory import MemoryStore

pytestmark = pytest.mark.real


class Visitor:
    """An HTTP client of one server, and that server's shell."""

    def __init__(self, made: Shell, http: aiohttp.ClientSession, base: str) -> None:
        self.shell = made
        self.http = http
        self.base = base
        self.health = ""
        self.api: HttpApi


@asynccontextmanager
async def visiting(
    doorkeeper: Doorkeeper | None = None, routes: Sequence[web.RouteDef] = ()
) -> AsyncIterator[Visitor]:
    async with shell() as made, aiohttp.ClientSession() as http:
        visitor = Visitor(made, http, "")
        api = HttpApi(
            made.gateway,
            doorkeeper or Doorkeeper(),
            made.metrics,
            lambda: visitor.health,
            "1.2.3",
            max_frame_bytes=65_536,
            routes=routes,
        )
        async with listening(api.application(), ServerSettings(port=0)) as port:
            visitor.base = f"http://127.0.0.1:{port}"
            visitor.api = api
            yield visitor


async def test_the_page_is_whole_and_asks_nobody_else():
    async with visiting() as visitor, visitor.http.get(visitor.base + "/") as answer:
        page = await answer.text()
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page)
    assert not re.findall(r"\son\w+=|\sstyle=", page), (
        "an inline handler or style would be blocked by the policy"
    )


@pytest.mark.parametrize(("waiting", "status"), [("", 200), ("starting", 503), ("draining", 503)])
async def test_health(waiting, status):
    async with visiting() as visitor:
        visitor.health = waiting
        async with visitor.http.get(visitor.base + "/healthz") as answer:
            assert answer.status == status
            assert await answer.json() == {
                "status": waiting or "ready",
                "version": "1.2.3",
                "links": 0,
                "engines": {},
            }


async def test_counts():
    async with visiting() as visitor, visitor.http.get(visitor.base + "/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "lumi_connections_total 0.0" in await answer.text()


@pytest.mark.parametrize(
    "path", ["/nothing", "/healthz/", "/page/index.html", "/%2e%2e/etc/passwd", "/xiaozhi/v1/"]
)
async def test_what_is_not_there_says_what_is(path):
    async with visiting() as visitor, visitor.http.get(visitor.base + path) as answer:
        assert answer.status == 404
        assert "/healthz" in await answer.text()


async def test_nothing_is_posted_here():
    async with visiting() as visitor:
        async with visitor.http.post(visitor.base + "/", data=b"x") as answer:
            assert answer.status == 405
            assert answer.headers["Allow"] == "GET, HEAD"
        async with visitor.http.head(visitor.base + "/") as answer:
            assert answer.status == 200


async def test_other_modules_routes_are_served_beside_it():
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text=request.match_info["name"])

    async with visiting(routes=[web.post("/hello/{name}", hello)]) as visitor:
        async with visitor.http.post(visitor.base + "/hello/you") as answer:
            assert await answer.text() == "you"
        async with visitor.http.get(visitor.base + "/hello/you") as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/", "/xiaozhi/v1/", "/xiaozhi/v1", "/any/path?from=x"])
async def test_any_path_is_the_websocket(path):
    async with visiting() as visitor, visitor.http.ws_connect(visitor.base + path) as ws:
        await ws.send_json(HELLO)
        assert (await ws.receive_json())["type"] == "hello"


async def test_a_token_among_several_in_connection_is_an_upgrade():
    headers = {"Connection": "keep-alive, Upgrade"}
    async with visiting() as visitor, visitor.http.ws_connect(visitor.base, headers=headers) as ws:
        await ws.send_json(HELLO)
        assert (await ws.receive_json())["type"] == "hello"


async def test_identity_comes_from_the_header_however_it_is_written():
    headers = {"DEVICE-ID": "aa:bb"}
    async with visiting() as visitor, visitor.http.ws_connect(visitor.base, headers=headers) as ws:
        await ws.send_json(HELLO)
        assert (await ws.receive_json())["device_id"] == "aa:bb"


async def test_a_page_of_another_address_is_refused():
    async with visiting() as visitor:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await visitor.http.ws_connect(visitor.base, headers={"Origin": "https://evil.example"})
        assert caught.value.status == 403
        assert counted(visitor.shell.metrics, 'lumi_refused_total{reason="bad_origin"} 1.0')
        async with visitor.http.ws_connect(visitor.base, headers={"Origin": visitor.base}) as ws:
            await ws.send_json(HELLO)
            assert (await ws.receive_json())["type"] == "hello"


async def test_without_the_token_nobody_comes_in():
    async with visiting(Doorkeeper(Rules(tokens=("let-me-in",)))) as visitor:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await visitor.http.ws_connect(visitor.base)
        assert caught.value.status == 401
        async with visitor.http.ws_connect(visitor.base + "/?authorization=let-me-in") as ws:
            await ws.send_json(HELLO)
            assert (await ws.receive_json())["type"] == "hello"


async def test_a_browser_without_the_token_is_told_over_the_websocket():
    async with visiting(Doorkeeper(Rules(tokens=("let-me-in",)))) as visitor:
        async with visitor.http.ws_connect(visitor.base, headers={"Origin": visitor.base}) as ws:
            await ws.send_json(HELLO)
            assert (await ws.receive_json())["error_code"] == "unauthorized"
            await ws.receive()
            assert ws.close_code == 4401
        assert visitor.shell.made == []


async def keyed(folder: Path) -> Doorkeeper:
    """Of a household with a device that was given a token."""
    registry = DeviceRegistry(MemoryStore(), lambda: 1_700_000_000.0, SecretFile(folder / "secret"))
    await registry.confirm((await registry.ask("aa:bb", "c")).code)
    assert await registry.token_for("aa:bb")
    return Doorkeeper(Rules(tokens=("let-me-in",), pairing=True), Origins(), registry)


ODD = [
    ("/", b"Authorization: Bearer hush\xff\xfe.\xfd", 401),
    ("/", b"Authorization: hush\xff.1700000000", 401),
    ("/?authorization=hush%FF.1700000000", b"Device-Id: aa:bb", 401),
    ("/", b"Device-Id: aa:bb\xff\r\nClient-Id: c\xff\r\nAuthorization: Bearer hush.1", 401),
    ("/?authorization=hush\xff.1", b"Device-Id: aa:bb", 400),
    ("/?authorization=hush", b"Device-Id\xff: aa:bb", 400),
]


@pytest.mark.parametrize(("path", "header", "status"), ODD)
async def test_bytes_that_are_no_text_are_refused_like_any_others_and_not_logged(
    tmp_path, caplog, path, header, status
):
    caplog.set_level(logging.DEBUG)
    async with visiting(await keyed(tmp_path)) as visitor:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(visitor.base.rpartition(":")[2]))
        upgrade = (
            b"Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        )
        request = b"GET " + path.encode("latin-1") + b" HTTP/1.1\r\n" + upgrade + header + b"\r\n\r\n"
        writer.write(request)
        async with asyncio.timeout(5):
            answered = await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert int(answered.split()[1]) == status
    assert "hush" not in caplog.text
    if status == 401:
        assert "bad_token" in caplog.text, "the refusal is logged, without what was shown"


async def test_a_broken_upgrade_is_a_bad_request():
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
    async with visiting() as visitor, visitor.http.get(visitor.base + "/", headers=headers) as answer:
        assert answer.status == 400


@pytest.mark.parametrize("key", ["short", "é", "\udcff"])
async def test_a_key_that_is_none_is_no_proper_upgrade(key):
    async with visiting() as visitor:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(visitor.base.rpartition(":")[2]))
        lines = [
            "GET / HTTP/1.1",
            "Host: a",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
        ]
        request = "\r\n".join([*lines, f"Sec-WebSocket-Key: {key}", "", ""])
        writer.write(request.encode(errors="surrogateescape"))
        assert (await reader.readline()).split()[1] == b"400"
        writer.close()


async def test_a_request_that_trickles_in_is_cut_off():
    async with shell() as made:
        api = HttpApi(made.gateway, Doorkeeper(), made.metrics, lambda: "", "1", max_frame_bytes=65_536)
        async with listening(api.application(), ServerSettings(port=0), request_s=0.2) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
            await writer.drain()
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()
