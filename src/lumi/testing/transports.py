"""What every transport must do: one suite, run over any way of making a pair of connected links.

    from lumi.testing.transports import TransportConformance

    class TestMine(TransportConformance):
        @asynccontextmanager
        async def open_pair(self, info, max_frame_bytes): ...   # yields (client, server)

The methods are plain tests for pytest with asynchronous tests switched on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiohttp import web

from lumi.errors import ConnectionLost
from lumi.transport.base import Link, LinkInfo
from lumi.transport.memory import memory_link_pair
from lumi.transport.websocket import MAX_FRAME_BYTES, accept, connect

Pair = tuple[Link, Link]


@asynccontextmanager
async def open_memory_pair(
    info: LinkInfo | None = None, max_frame_bytes: int = MAX_FRAME_BYTES
) -> AsyncIterator[Pair]:
    client, server = memory_link_pair(info, max_frame_bytes=max_frame_bytes)
    yield client, server
    await client.close()


@asynccontextmanager
async def serve_links(
    handle: Callable[[Link], Awaitable[None]],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    max_frame_bytes: int = MAX_FRAME_BYTES,
) -> AsyncIterator[str]:
    """A bare WebSocket server on a free port; yields its address. `handle` is called for each link that comes in."""

    async def on_request(request: web.Request) -> web.StreamResponse:
        link = await accept(request, max_frame_bytes=max_frame_bytes)
        try:
            await handle(link)
        except ConnectionLost:
            pass  # the peer may go whenever it likes
        finally:
            await link.close()
        return link.response

    app = web.Application()
    app.router.add_get("/{path:.*}", on_request)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield f"ws://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def open_websocket_pair(
    info: LinkInfo | None = None, max_frame_bytes: int = MAX_FRAME_BYTES
) -> AsyncIterator[Pair]:
    """Both ends of a real WebSocket over loopback."""
    shown = info or LinkInfo()
    done = asyncio.Event()
    accepted: asyncio.Queue[Link] = asyncio.Queue(1)

    async def keep(link: Link) -> None:
        accepted.put_nowait(link)
        await done.wait()

    async with serve_links(keep, max_frame_bytes=max_frame_bytes) as url:
        query = "&".join(f"{name}={value}" for name, value in shown.query.items())
        client = await connect(f"{url}{shown.path}?{query}", dict(shown.headers))
        server = await accepted.get()
        try:
            yield client, server
        finally:
            done.set()
            await client.close()


class TransportConformance:
    """Subclass it and say how a pair is opened."""

    def open_pair(
        self, info: LinkInfo | None = None, max_frame_bytes: int = MAX_FRAME_BYTES
    ) -> AbstractAsyncContextManager[Pair]:
        raise NotImplementedError

    async def test_text_stays_text_and_bytes_stay_bytes(self) -> None:
        frames: tuple[str | bytes, ...] = ("hello", b"\x00\xff", "", b"", "现在几点了 🙂", bytes(4096))
        async with self.open_pair() as (client, server):
            for sender, reader in ((client, server), (server, client)):
                for frame in frames:
                    await sender.send(frame)
                received = [await reader.receive() for _ in frames]
                assert received == list(frames)
                assert [type(frame) for frame in received] == [type(frame) for frame in frames]

    async def test_frames_of_many_tasks_keep_the_order_of_their_sending(self) -> None:
        async with self.open_pair() as (client, server):
            sent: list[str] = []

            async def speak(name: int) -> None:
                for number in range(50):
                    frame = f"{name}.{number} {'x' * 400}"
                    sent.append(frame)
                    await client.send(frame)
                    await asyncio.sleep(0)

            async with asyncio.TaskGroup() as group:
                for name in range(4):
                    group.create_task(speak(name))
                received = [await server.receive() for _ in range(200)]
            assert received == sent

    async def test_the_peer_reads_what_was_sent_before_the_close_then_hears_why(self) -> None:
        async with self.open_pair() as (client, server):
            await server.send("last words")
            async with asyncio.TaskGroup() as group:
                group.create_task(server.close(4409, "replaced"))
                assert await client.receive() == "last words"
                assert await lost(client.receive()) == (4409, "replaced")
            assert await lost(client.receive()) == (4409, "replaced")
            assert await lost(client.send("too late")) == (4409, "replaced")

    async def test_closing_ends_ones_own_receiving_and_sending(self) -> None:
        async with self.open_pair() as (client, server), asyncio.TaskGroup() as group:
            answer = group.create_task(lost(server.receive()))
            waiting = group.create_task(lost(client.receive()))
            await asyncio.sleep(0.01)
            await client.close(1001, "going away")
            assert await waiting == (1001, "going away")
            assert await lost(client.send("too late")) == (1001, "going away")
            assert await answer == (1001, "going away")

    async def test_close_may_be_called_by_anyone_and_again(self) -> None:
        async with self.open_pair() as (client, server), asyncio.TaskGroup() as group:
            group.create_task(lost(server.receive()))
            for _ in range(2):
                group.create_task(client.close(1000, "first"))
            await client.close(1000)

    async def test_close_does_not_wait_long_for_a_peer_that_never_reads(self) -> None:
        async with self.open_pair() as (client, _), asyncio.timeout(3):
            await client.close()

    async def test_a_peer_that_never_reads_stops_the_sender(self) -> None:
        async with self.open_pair(max_frame_bytes=64 * 1024) as (_client, server):
            sent = 0

            async def flood() -> None:
                nonlocal sent
                for _ in range(2_000):
                    await server.send(bytes(16 * 1024))
                    sent += 1

            async with asyncio.TaskGroup() as group:
                flooding = group.create_task(lost(flood()))
                await asyncio.sleep(0.3)
                assert not flooding.done()
                assert sent < 1_000  # 16 MB: what kernels and both ends hold is less
                await server.close(1013, "too slow")
            assert flooding.result() == (1013, "too slow")

    async def test_a_sender_that_gives_up_does_not_disturb_the_others(self) -> None:
        async with self.open_pair() as (client, server):
            async with asyncio.TaskGroup() as group:
                filling = group.create_task(_fill(server))
                await asyncio.sleep(0.3)
                assert not filling.done()
                patient = group.create_task(server.send("patient"))
                await asyncio.sleep(0.3)
                filling.cancel()
                await asyncio.sleep(0.3)
                while await client.receive() != "patient":
                    pass
            assert patient.done()
            assert not patient.cancelled()

    async def test_a_frame_too_long_closes_with_1009(self) -> None:
        async with self.open_pair(max_frame_bytes=1_000) as (client, server), asyncio.TaskGroup() as group:
            await client.send(bytes(1_000))
            assert await server.receive() == bytes(1_000)
            group.create_task(_send_anyway(client, bytes(1_001)))
            at_client = group.create_task(lost(client.receive()))
            assert (await lost(server.receive()))[0] == 1009
            code, reason = await at_client
            assert code == 1009
            assert "1000 bytes" in reason

    async def test_text_is_measured_in_bytes(self) -> None:
        async with self.open_pair(max_frame_bytes=30) as (client, server), asyncio.TaskGroup() as group:
            await client.send("现" * 10)
            assert await server.receive() == "现" * 10
            group.create_task(_send_anyway(client, "现" * 11))
            group.create_task(lost(client.receive()))
            assert (await lost(server.receive()))[0] == 1009

    async def test_the_request_is_shown_with_lower_case_names(self) -> None:
        info = LinkInfo(path="/xiaozhi/v1/", headers={"device-id": "AA:bb"}, query={"from": "mqtt_gateway"})
        async with self.open_pair(info) as (_, server):
            assert server.info.path == "/xiaozhi/v1/"
            assert server.info.headers["device-id"] == "AA:bb"
            assert server.info.query == {"from": "mqtt_gateway"}


async def lost(work: Awaitable[object]) -> tuple[int, str]:
    """Await something that must end with the connection; its close code and reason."""
    try:
        await work
    except ConnectionLost as error:
        return error.code, error.reason
    raise AssertionError("the connection should have been lost, but was not")


async def _fill(link: Link) -> None:
    while True:
        await link.send(bytes(16 * 1024))


async def _send_anyway(link: Link, frame: str | bytes) -> None:
    with contextlib.suppress(ConnectionLost):  # some transports know at once that it is too long
        await link.send(frame)
