from __future__ import annotations

import asyncio
import base64
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from lumi.errors import ConnectFailed, ConnectionLost, ConnectionRefused, NetworkError
from lumi.testing.transports import lost, open_websocket_pair, serve_links
from lumi.transport import websocket
from lumi.transport.base import Link, LinkInfo
from lumi.transport.websocket import ServerLink, accept, connect, is_upgrade, request_info

pytestmark = pytest.mark.real


async def _echo(link: Link) -> None:
    while True:
        await link.send(await link.receive())


@asynccontextmanager
async def _raw(
    url: str, path: str = "/", headers: str = ""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, str]]:
    """A client of a dozen lines, which can do what a library would not; with the answer's head."""
    address = URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    key = base64.b64encode(os.urandom(16)).decode()
    defaults = "" if "Connection:" in headers else "Connection: Upgrade\r\n"
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    writer.write(f"{head}Sec-WebSocket-Key: {key}\r\n{defaults}{headers}\r\n".encode())
    try:
        yield reader, writer, (await reader.readuntil(b"\r\n\r\n")).decode()
    finally:
        writer.close()


def _frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros."""
    size = len(payload)
    head = (
        bytes([0x80 | opcode, 0x80 | size])
        if size < 126
        else bytes([0x80 | opcode, 0xFE]) + size.to_bytes(2, "big")
    )
    return head + bytes(4) + payload


# ── the server's end ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("connection", ["Upgrade", "keep-alive, Upgrade", "upgrade,keep-alive"])
@pytest.mark.parametrize("path", ["/", "/xiaozhi/v1/", "/xiaozhi/v1", "/?device-id=a"])
async def test_any_path_and_any_list_of_connection_tokens(connection: str, path: str) -> None:
    async with (
        serve_links(_echo) as url,
        _raw(url, path, f"Connection: {connection}\r\n") as (reader, writer, head),
    ):
        assert head.startswith("HTTP/1.1 101")
        writer.write(_frame(1, b"hello"))
        assert await reader.readexactly(7) == b"\x81\x05hello"


async def test_compression_and_sub_protocols_are_declined() -> None:
    offers = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nSec-WebSocket-Protocol: a\r\n"
    async with serve_links(_echo) as url, _raw(url, headers=offers) as (_, _, head):
        assert "101" in head
        assert "extensions" not in head.lower()
        assert "protocol:" not in head.lower()


async def test_pings_are_answered_and_not_shown() -> None:
    async with serve_links(_echo) as url, _raw(url) as (reader, writer, _):
        writer.write(_frame(9, b"are you there") + _frame(10, b"unasked") + _frame(2, b"x"))
        assert await reader.readexactly(15) == b"\x8a\x0dare you there"
        assert await reader.readexactly(3) == b"\x82\x01x"


async def test_the_request_is_known_before_it_is_accepted() -> None:
    request = make_mocked_request("GET", "/v1/?Device-Id=q", headers={"Device-Id": "AA", "X-Two": "2"})
    assert request_info(request) == LinkInfo(
        path="/v1/",
        headers={"device-id": "AA", "x-two": "2"},
        query={"device-id": "q"},
        remote=request.remote or "",
    )


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket"}, True),
        ({"Connection": "keep-alive", "Upgrade": "websocket"}, False),
        ({"Connection": "Upgrade", "Upgrade": "h2c"}, False),
        ({}, False),
    ],
)
async def test_what_is_an_upgrade(headers: dict[str, str], expected: bool) -> None:
    assert is_upgrade(make_mocked_request("GET", "/", headers=headers)) is expected


async def test_a_peer_that_left_before_the_answer_is_a_lost_connection() -> None:
    gone = SimpleNamespace(transport=None, headers={}, path="/", query={}, remote=None)
    assert (await lost(accept(gone)))[0] == 1006  # type: ignore[arg-type]


async def test_a_peer_that_leaves_while_it_is_answered_is_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def leave(_: web.WebSocketResponse, __: web.BaseRequest) -> None:
        raise ConnectionResetError("Connection lost")

    monkeypatch.setattr(web.WebSocketResponse, "prepare", leave)
    assert await lost(accept(make_mocked_request("GET", "/"))) == (1006, "Connection lost")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"\x88\x80" + bytes(4), 1005),
        (_frame(8, b"\x11\x39" + "bye 再见".encode()), 4409),
        (b"\x83\x80" + bytes(4), 1002),
    ],
    ids=["no code", "code and reason", "unknown opcode"],
)
async def test_how_a_peer_may_end_it(payload: bytes, code: int) -> None:
    ended: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    async def note(link: Link) -> None:
        ended.set_result(await lost(link.receive()))

    async with serve_links(note) as url, _raw(url) as (_, writer, _):
        writer.write(payload)
        assert (await ended)[0] == code
        assert (await ended)[1] == "bye 再见" or code != 4409


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_a_peer_that_vanishes_is_1006(how: str) -> None:
    ended: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    async def note(link: Link) -> None:
        ended.set_result(await lost(link.receive()))
        assert (await lost(link.send("too late")))[0] == 1006

    async with serve_links(note) as url, _raw(url) as (_, writer, _):
        if how == "abort":
            writer.transport.abort()
        else:
            writer.close()
        assert (await ended)[0] == 1006


async def test_a_cut_is_1006_at_both_ends() -> None:
    async with open_websocket_pair() as (client, server):
        server.cut()  # type: ignore[attr-defined]
        assert (await lost(client.receive()))[0] == 1006
        assert (await lost(server.receive()))[0] == 1006


async def test_sending_into_a_line_that_broke_unnoticed_says_so() -> None:
    async with open_websocket_pair() as (client, server):
        client.cut()  # type: ignore[attr-defined]

        async def speak() -> None:
            while True:
                await server.send(bytes(4096))
                await asyncio.sleep(0.001)

        assert (await lost(speak()))[0] == 1006


async def test_a_frame_that_announces_far_too_much_is_never_read() -> None:
    ended: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    async def note(link: Link) -> None:
        ended.set_result(await lost(link.receive()))

    async with serve_links(note, max_frame_bytes=1_000) as url, _raw(url) as (_, writer, _):
        writer.write(b"\x82\xff" + (1 << 40).to_bytes(8, "big") + bytes(4))
        assert (await ended)[0] == 1009


async def test_a_long_reason_is_cut_between_characters() -> None:
    async with open_websocket_pair() as (client, server), asyncio.TaskGroup() as group:
        heard = group.create_task(lost(client.receive()))
        await server.close(1011, "错" * 60)
        assert await heard == (1011, "错" * 41)


async def test_close_ends_a_sender_that_waits_for_room_even_if_nobody_reads() -> None:
    async with open_websocket_pair() as (_, server):

        async def flood() -> None:
            while True:
                await server.send(bytes(16 * 1024))

        async with asyncio.TaskGroup() as group:
            flooding = group.create_task(lost(flood()))
            await asyncio.sleep(0.2)
            start = asyncio.get_running_loop().time()
            await server.close(1013)
            assert asyncio.get_running_loop().time() - start < 2
        assert flooding.result()[0] == 1013


# ── the client's end ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_headers_and_query_arrive() -> None:
    infos: list[LinkInfo] = []

    async def note(link: Link) -> None:
        infos.append(link.info)

    async with serve_links(note) as url:
        link = await connect(f"{url}/lumi?authorization=t", {"Device-Id": "AA", "Authorization": "Bearer t"})
        assert await lost(link.receive()) == (1000, "")
        assert link.info.query == {"authorization": "t"}
        assert link.info.headers == {"device-id": "AA", "authorization": "Bearer t"}
        assert link.info.remote == url.removeprefix("ws://")
    assert infos[0].headers["device-id"] == "AA"
    assert infos[0].headers["authorization"] == "Bearer t"


@asynccontextmanager
async def _http(status: int) -> AsyncIterator[str]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"ws://127.0.0.1:{runner.addresses[0][1]}/?authorization=secret"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "words"), [(401, "wants a valid token"), (403, "will not have this client")]
)
async def test_refusals_are_final(status: int, words: str) -> None:
    async with _http(status) as url:
        with pytest.raises(ConnectionRefused, match=words) as refused:
            await connect(url)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("status", "words"), [(200, "HTTP 200 instead"), (404, "check host"), (503, "busy"), (429, "busy")]
)
async def test_other_answers_are_failures_and_show_no_token(status: int, words: str) -> None:
    async with _http(status) as url:
        with pytest.raises(ConnectFailed, match=words) as failed:
            await connect(url)
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "ftp://x/", "ws://", "ws://x:port/?token=secret", "ws://x:0/"]
)
async def test_what_is_no_address_is_named(url: str) -> None:
    with pytest.raises(ConnectFailed, match="give one like ws://") as failed:
        await connect(url)
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_nothing_listens(host: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConnectFailed, match=f"nothing listens at {host}:{port}: start the server"):
        await connect(f"ws://{host}:{port}/")


@asynccontextmanager
async def _tcp(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handle(reader, writer)
        writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


async def test_a_server_that_never_answers_is_given_up() -> None:
    async def be_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with _tcp(be_silent) as place:
        with pytest.raises(ConnectFailed, match=rf"{place} did not answer within 0\.05 s"):
            await connect(f"ws://{place}/", timeout_s=0.05)


async def test_a_server_that_hangs_up_is_named() -> None:
    async def hang_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with _tcp(hang_up) as place:
        with pytest.raises(ConnectFailed, match="hung up without an answer"):
            await connect(f"ws://{place}/")


async def test_tls_to_a_plain_server_says_try_ws() -> None:
    async with serve_links(_echo) as url:
        with pytest.raises(ConnectFailed, match="try ws:// instead"):
            await connect(url.replace("ws://", "wss://"), ssl_context=ssl.create_default_context())


async def test_a_cancelled_caller_leaves_no_socket_behind() -> None:
    async def be_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        assert await reader.read() != b""  # returns when the client's socket is closed

    async with _tcp(be_silent) as place, asyncio.TaskGroup() as group:
        trying = group.create_task(connect(f"ws://{place}/"))
        await asyncio.sleep(0.05)
        trying.cancel()


def _key() -> ConnectionKey:
    return ConnectionKey(
        "lumi.example", 80, is_ssl=False, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (aiohttp.ClientConnectorDNSError(_key(), OSError("x")), "the name lumi.example is not known"),
        (
            aiohttp.ClientConnectorCertificateError(_key(), ssl.SSLCertVerificationError("self-signed")),
            "does not trust",
        ),
        (
            aiohttp.ClientConnectorError(_key(), OSError(113, "No route to host")),
            "no connection to lumi.example:80",
        ),
        (aiohttp.ClientPayloadError("odd"), "no connection to lumi.example:80: odd"),
    ],
)
def test_the_rest_is_said_in_one_line_too(error: Exception, words: str) -> None:
    failure: Any = websocket._failure(error, URL("ws://lumi.example/"), 10)
    assert isinstance(failure, NetworkError)
    assert words in str(failure)
    assert "\n" not in str(failure)


async def test_many_links_come_and_go_and_leave_nothing() -> None:
    async def once(url: str) -> None:
        link = await connect(url)
        await link.send(b"x")
        assert await link.receive() == b"x"
        await link.close()
        with pytest.raises(ConnectionLost):
            await link.receive()

    async def many(url: str, rounds: int) -> None:
        for _ in range(rounds):
            async with asyncio.TaskGroup() as group:
                for _ in range(10):
                    group.create_task(once(url))
        await asyncio.sleep(0.05)  # real sockets: the kernel's own time

    async with serve_links(_echo) as url:
        await many(url, 1)
        before = _open_files()
        await many(url, 10)
        assert _open_files() <= before


def _open_files() -> int:
    listing = Path("/proc/self/fd")
    return len(list(listing.iterdir())) if listing.is_dir() else 0


async def test_no_device_is_asked_by_a_ping_whether_it_is_there() -> None:
    """Small boards do not answer them, and must not be dropped for it."""
    links: list[Link] = []

    async def kept(link: Link) -> None:
        links.append(link)
        await _echo(link)

    async with serve_links(kept) as url, _raw(url):
        (link,) = links
        assert isinstance(link, ServerLink)
        assert link.response._heartbeat is None
        assert link.response._receive_timeout is None
