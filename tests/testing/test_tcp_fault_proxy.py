from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lumi.testing.fault_proxy import Way
from lumi.testing.tcp_fault_proxy import ByteCut, TcpFaultProxy, random_byte_cut

pytestmark = pytest.mark.real


class Echo:
    """Sends back what comes; keeps it, and how the connection ended."""

    def __init__(self) -> None:
        self.received = b""
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                self.received += data
                writer.write(data)
                await writer.drain()
            self.ended.set_result("FIN")
        except ConnectionResetError:
            self.ended.set_result("RST")
        writer.close()


@asynccontextmanager
async def led(cut: ByteCut | None) -> AsyncIterator[tuple[TcpFaultProxy, Echo, str, int]]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, TcpFaultProxy("127.0.0.1", port, lambda _number: cut) as proxy:
        yield proxy, echo, "127.0.0.1", int(proxy.url.rstrip("/").rsplit(":", 1)[1])


async def heard(reader: asyncio.StreamReader) -> tuple[bytes, str]:
    """All that comes, and how it ends."""
    data = b""
    try:
        while piece := await reader.read(1000):
            data += piece
    except ConnectionResetError:
        return data, "RST"
    return data, "FIN"


async def test_without_a_cut_every_byte_arrives_and_closing_is_passed_on() -> None:
    async with led(None) as (proxy, echo, host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"x" * 10_000)
        assert await reader.readexactly(10_000) == b"x" * 10_000
        writer.close()
        assert await echo.ended == "FIN"
        assert (proxy.connections, proxy.cuts) == (1, 0)


@pytest.mark.parametrize("reset", [True, False])
async def test_cut_within_what_the_client_sends(reset: bool) -> None:
    async with led(ByteCut(Way.UP, 7, reset)) as (proxy, echo, host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"0123456789")
        data, end = await heard(reader)
        assert b"0123456".startswith(data)
        assert end == await echo.ended == ("RST" if reset else "FIN")
        assert b"0123456".startswith(echo.received)
        assert reset or echo.received == b"0123456"
        writer.close()
        assert (proxy.cuts, proxy.resets) == (1, int(reset))


async def test_cut_within_what_the_server_sends() -> None:
    async with led(ByteCut(Way.DOWN, 4, reset=False)) as (_, echo, host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"0123456789")
        assert await heard(reader) == (b"0123", "FIN")
        assert echo.received == b"0123456789"
        writer.close()


async def test_cut_before_anything_was_said() -> None:
    async with led(ByteCut(Way.UP, 0, reset=False)) as (_, echo, host, port):
        reader, writer = await asyncio.open_connection(host, port)
        assert await heard(reader) == (b"", "FIN")
        await echo.ended
        writer.close()


async def test_nobody_listens_behind_it() -> None:
    async with led(None) as (_, __, host, port):
        pass
    async with TcpFaultProxy(host, port) as proxy:
        own = int(proxy.url.rstrip("/").rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", own)
        assert (await heard(reader))[1] == "RST"
        writer.close()


def test_the_same_seed_gives_the_same_cuts() -> None:
    one, other = random.Random(7), random.Random(7)
    cuts = [random_byte_cut(one, up_bytes=9, down_bytes=99) for _ in range(300)]
    assert cuts == [random_byte_cut(other, up_bytes=9, down_bytes=99) for _ in range(300)]
    assert {cut.after_bytes for cut in cuts if cut.way is Way.UP} == set(range(10))
    assert max(cut.after_bytes for cut in cuts) > 50
    assert {(cut.way, cut.reset) for cut in cuts} == {(way, reset) for way in Way for reset in (True, False)}
