"""The client over real sockets: what memory links cannot show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from tests.client.scripted_server import ALL, Peer, converse

from lumi.audio.format import AudioFormat, Codec
from lumi.client.client import connect
from lumi.errors import ConnectFailed, ConnectionRefused
from lumi.transport.websocket import accept

pytestmark = pytest.mark.real


@asynccontextmanager
async def listening(handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def conversing(request: web.Request) -> web.StreamResponse:
    link = await accept(request)
    await Peer(link, ALL).run(converse)  # type: ignore[arg-type]
    return link.response


async def test_a_conversation():
    async with listening(conversing) as url, connect(url, device_id="me") as client:
        assert (await client.chat("hello")).content == "HELLO"
        reply = await client.ask(bytes(6400), rate_hz=16_000)
        assert reply.transcript == "what time is it"
        assert reply.first_audio_ms is not None
        assert 40 < reply.first_audio_ms < 1000


async def test_speech_leaves_in_real_time():
    async with (
        listening(conversing) as url,
        connect(url, device_id="me", audio=AudioFormat(Codec.PCM)) as client,
    ):
        start = asyncio.get_running_loop().time()
        await client.send_pcm(bytes(16_000), 16_000)
        assert asyncio.get_running_loop().time() - start == pytest.approx(0.42, abs=0.15)


async def test_twenty_clients_hear_only_themselves():
    async def one(url: str, number: int) -> list[str]:
        async with connect(url, device_id=f"device-{number}") as client:
            return [(await client.chat(f"client {number} line {line}")).content for line in range(5)]

    async with listening(conversing) as url:
        heard = await asyncio.gather(*(one(url, number) for number in range(20)))
    assert heard == [[f"CLIENT {number} LINE {line}" for line in range(5)] for number in range(20)]


@pytest.mark.parametrize(
    ("status", "error"), [(401, ConnectionRefused), (403, ConnectionRefused), (500, ConnectFailed)]
)
async def test_a_server_that_says_no(status, error):
    async def refusing(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    async with listening(refusing) as url:
        with pytest.raises(error):
            async with connect(url, device_id="me", reconnect=None):
                pytest.fail("refused")
