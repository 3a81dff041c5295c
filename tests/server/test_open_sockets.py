import asyncio
import gc
from typing import Any

import pytest
from aiohttp import web

from lumi.config.serving import ServerSettings
from lumi.server.limits import Addresses
from lumi.server.open_sockets import TOLD_EVERY_S, OpenSockets
from lumi.server.port import listening


class FromElsewhere(Addresses):
    """As if this machine were another one."""

    def enter(self, _: str) -> bool:
        return super().enter("192.0.2.7")

    def leave(self, _: str) -> None:
        super().leave("192.0.2.7")


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


@pytest.mark.real
async def test_who_holds_many_silent_connections_gets_no_more_until_some_are_closed(caplog):
    told: list[str] = []
    sockets = OpenSockets(FromElsewhere(limit=2), told.append)
    application = web.Application()
    application.add_routes([web.get("/", hello)])
    async with listening(application, ServerSettings(port=0), watch=sockets.watch) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert b"Retry-After: 30" in answer
        assert told == ["127.0.0.1"]
        writer.close()
        reader, writer = held.pop()
        writer.close()
        await writer.wait_closed()
        reader, writer = held[0]
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"200"
        assert len(sockets) == 1
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"hello")
        for _, open_still in (*held, (reader, writer)):
            open_still.close()
            await open_still.wait_closed()
    assert len(sockets) == 0
    gc.collect()
    assert "never retrieved" not in caplog.text, "aiohttp's handler was left in peace"


class Knock(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.7", 4711)})
        self.said, self.closed = b"", False

    def write(self, data: Any) -> None:
        self.said += bytes(data)

    def close(self) -> None:
        self.closed = True


class Protocols:
    """What of aiohttp's server is told of connections."""

    def __init__(self) -> None:
        self.here: set[object] = set()

    def connection_made(self, handler: object, _: asyncio.Transport) -> None:
        self.here.add(handler)

    def connection_lost(self, handler: object, _: BaseException | None = None) -> None:
        self.here.remove(handler)


async def test_an_address_that_knocks_and_knocks_is_noted_once_a_second():
    told: list[str] = []
    sockets = OpenSockets(Addresses(limit=1), told.append)
    server: Any = Protocols()
    sockets.watch(server)
    knocks = [Knock() for _ in range(3)]
    for number, knock in enumerate(knocks):
        server.connection_made(number, knock)
    await asyncio.sleep(0)
    assert [knock.closed for knock in knocks] == [False, True, True]
    assert not knocks[0].said
    assert told == ["192.0.2.7"]
    await asyncio.sleep(TOLD_EVERY_S)
    server.connection_made(3, Knock())
    assert told == ["192.0.2.7"] * 2
    assert len(sockets) == 1
    for number in (1, 0, 2, 3):
        server.connection_lost(number)
    assert len(sockets) == 0
    assert not server.here, "aiohttp was told of all"
    server.connection_made(4, knock := Knock())
    await asyncio.sleep(0)
    assert not knock.closed
