"""The load generator against a small server on a real socket."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import WSMsgType, web

from lumi.bench.device import Answer, Notes
from lumi.bench.load import Event, Job, LoadResult, generate, summarize

UTTERANCE = [b"packet"] * 3


async def converse(request: web.Request) -> web.WebSocketResponse:
    """Answers every question with two packets, 60 ms apart."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        received = json.loads(message.data)
        if received["type"] == "hello":
            await socket.send_json({"type": "hello", "id": received["id"], "session_id": "session-1"})
        elif received["state"] == "stop":
            await socket.send_bytes(b"sound")
            await asyncio.sleep(0.06)
            await socket.send_bytes(b"sound")
            await socket.send_json({"type": "tts", "state": "stop"})
    return socket


@asynccontextmanager
async def small_server() -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/", converse)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"ws://{host}:{port}/"
    finally:
        await runner.cleanup()


@pytest.mark.real
async def test_devices_talk_for_the_time_given() -> None:
    events: list[Event] = []
    async with small_server() as url:
        job = Job(url, devices=3, seconds=0.5, utterance=UTTERANCE, ramp_s=0.2)
        result = await generate(job, events.append)
    assert [event.event for event in events] == ["steady", "over"]
    assert result.devices == 3
    assert result.answers >= 3
    assert result.packets == 2 * result.answers
    assert result.hello_ms.count == 3
    assert (result.unanswered, result.errors) == (0, [])


@pytest.mark.real
async def test_a_server_that_is_not_there_is_noted() -> None:
    job = Job("ws://127.0.0.1:9/", devices=1, seconds=0.1, utterance=UTTERANCE, ramp_s=0.1)
    result = await generate(job, lambda _: None)
    assert len(result.errors) == 1
    assert result.first_audio_ms.median is None


@pytest.mark.real
async def test_as_a_process_it_writes_one_json_object_a_line(tmp_path: Path) -> None:
    job_file = tmp_path / "job.json"
    async with small_server() as url:
        job = Job(url, devices=1, seconds=0.3, utterance=UTTERANCE, ramp_s=0.1)
        job_file.write_bytes(msgspec.json.encode(job))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lumi.bench.load", str(job_file), stdout=subprocess.PIPE
        )
        out, _ = await process.communicate()
    assert process.returncode == 0
    steady, over, last = out.splitlines()
    assert (json.loads(steady), json.loads(over)) == ({"event": "steady"}, {"event": "over"})
    assert msgspec.json.decode(last, type=LoadResult).answers >= 1


def test_the_summary_counts_packets_answers_and_the_generators_own_lateness() -> None:
    notes = Notes(
        hellos_s=[0.001],
        answers=[Answer(0.010, 100, 1, 0, 0.021), Answer(0.030, 100, 4, 2, 0.090)],
        sends_late_s=[0.0] * 98 + [0.011, 0.012],
        unanswered=1,
        errors=["lost"],
    )
    result = summarize(2, notes)
    assert (result.packets, result.late_percent, result.stalls, result.stalled_answers) == (200, 2.5, 2, 1)
    assert result.worst_ms == pytest.approx(90.0)
    assert result.first_audio_ms.median == pytest.approx(10.0)
    assert result.own_late_percent == 2.0
    assert result.void


def test_a_generator_in_time_is_not_void() -> None:
    assert not summarize(1, Notes(sends_late_s=[0.0, 0.001])).void
    assert summarize(1, Notes()).late_percent == 0.0
