"""Rubbish is the same for the same seed, nothing is raised by it, and a server that keeps silent is found out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from tests.flows.scripted import scripted_lumi

from lumi.bench.rubbish import __main__ as rubbish
from lumi.bench.rubbish.campaign import Plan, complaints
from lumi.bench.rubbish.decoder import decode
from lumi.bench.rubbish.frames import KINDS, Rubbish
from lumi.bench.rubbish.sender import Job, send
from lumi.bench.rubbish.slow import hold


def test_the_same_seed_makes_the_same_frames():
    one, other, third = Rubbish(1), Rubbish(1), Rubbish(2)
    made = [one.frame() for _ in range(200)]
    assert made == [other.frame() for _ in range(200)]
    assert made != [third.frame() for _ in range(200)]


def test_what_is_sent_can_be_sent():
    supply = Rubbish(3)
    for _ in range(2_000):
        frame = supply.sendable()
        if isinstance(frame, str):
            frame.encode()


def test_kinds_are_a_hundred_in_a_hundred():
    assert sum(share for _, share in KINDS) == 100


def test_the_decoder_names_what_is_wrong_and_raises_nothing():
    heard: list[int] = []
    decoded = decode(3_000, seed=7, tell=heard.append)
    assert decoded.frames == 3_000
    assert set(decoded.errors) == {"bad_json", "bad_message", "unknown_type"}
    assert decoded.understood + sum(decoded.errors.values()) == 3_000
    assert heard == [0]


def test_a_server_s_complaints_are_found_in_its_log():
    log = "fine\nTraceback (most recent call last):\n  ...\nTask exception was never retrieved\n"
    assert complaints(log) == ["Traceback (most recent call last):", "Task exception was never retrieved"]
    assert complaints("all is well\n") == []


def test_a_plan_keeps_each_connection_within_its_rates():
    job = Plan(frames=1_000_000).rubbish("ws://here/")
    assert job.per_second / job.connections <= 10


@pytest.mark.real
async def test_a_server_tells_every_sender_what_was_wrong():
    async with scripted_lumi() as server:
        sent = await send(Job(server.url, frames=300, per_second=1_000, connections=3, seed=1))
    assert sent.frames == 300
    assert (sent.untold, sent.problems) == (0, [])
    assert sent.errors["bad_message"] > 50


@asynccontextmanager
async def answering(pong: Callable[[], dict[str, object]]) -> AsyncIterator[str]:
    """A server that answers pings, with whatever `pong` makes, and nothing else."""

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for frame in socket:
            if frame.type is web.WSMsgType.TEXT and "still-there" in frame.data:
                await socket.send_str(json.dumps({"id": "still-there", **pong()}))
        return socket

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@pytest.mark.real
async def test_a_server_that_keeps_silent_is_found_out():
    async with answering(lambda: {"type": "pong"}) as url:
        sent = await send(Job(url, frames=40, per_second=1_000, connections=4, seed=1))
    assert sent.untold > 10


@pytest.mark.real
async def test_who_is_told_to_ask_later_asks_again():
    answers: list[dict[str, object]] = [
        {"type": "error", "error_code": "rate_limited", "retry_after": 0.1},
        {"type": "pong"},
    ]
    pongs = iter(answers)
    async with answering(lambda: next(pongs)) as url:
        sent = await send(Job(url, frames=1, per_second=1_000, connections=1, seed=1))
    assert sent.problems == []
    assert next(pongs, None) is None


@pytest.mark.real
async def test_sockets_that_never_finish_are_counted_when_they_are_ended():
    async def end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(end, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        result = await hold("127.0.0.1", port, sockets=5)
    assert (result.opened, result.ended) == (5, 5)


def test_a_wrong_option_is_refused():
    assert rubbish.main(["--frames", "1"]) == 2
