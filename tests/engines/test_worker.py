"""Worker processes: streams, crashes, silence, endings."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lumi.engines.worker import WorkerProcess, WorkerSpec, backoff_s
from lumi.engines.worker_pool import WorkerPool
from lumi.errors import ConfigError, EngineError, EngineUnavailable
from lumi.testing.worker_services import PIECE

TARGET = "lumi.testing.worker_services:EchoService"


def spec(**changes: Any) -> WorkerSpec:
    return WorkerSpec("echo", TARGET, **{"backoff_s": (0.0, 0.01), **changes})


async def ask(worker: WorkerProcess | WorkerPool, request: bytes, *pieces: bytes) -> list[bytes]:
    async with await worker.open(request) as stream:
        for piece in pieces:
            await stream.send(piece)
        stream.end()
        return [piece async for piece in stream]


def alive(pid: int | None) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_the_end_of(pid: int) -> None:
    deadline = time.monotonic() + 5
    while alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.01)


def test_backoff_grows_and_stays() -> None:
    assert [backoff_s((0.0, 0.2, 1.0), crashes) for crashes in (1, 2, 3, 9)] == [0.0, 0.2, 1.0, 1.0]


def test_a_pool_has_a_worker() -> None:
    with pytest.raises(ConfigError, match=r"echo\.workers: is 0; at least 1"):
        WorkerPool(spec(), 0)


@pytest.mark.real
async def test_streams_both_ways_and_leaves_no_process() -> None:
    worker = WorkerProcess(spec(arguments={"greeting": ">"}))
    assert worker.pid is None
    assert worker.load == 0
    assert await worker.start() == b"ready to echo"
    assert await ask(worker, b"echo", b"one", b"two") == [b">one", b">two"]
    big = os.urandom(300_000)
    async with await worker.open(b"echo") as stream:
        got = bytearray()
        for start in range(0, len(big), 50_000):
            await stream.send(big[start : start + 50_000])
            async for piece in stream:
                got += piece.removeprefix(b">")
                if len(got) >= start + 50_000:
                    break
        assert got == big
        assert worker.load == 1
    pid = worker.pid
    await worker.aclose()
    await worker.aclose()
    assert not alive(pid)
    with pytest.raises(EngineError, match="was closed"):
        await worker.open(b"echo")


@pytest.mark.real
async def test_reading_late_holds_the_worker_back_and_loses_nothing() -> None:
    worker = WorkerProcess(spec())
    async with await worker.open(b"flood:200") as stream:
        stream.end()
        await asyncio.sleep(0.2)
        assert sum(map(len, stream.poll())) == 64 * 1024
        rest = [piece async for piece in stream]
        assert len(rest) == 200 - 16
    await worker.aclose()


@pytest.mark.real
async def test_cancelling_stops_the_work_and_not_the_worker() -> None:
    worker = WorkerProcess(spec())
    async with await worker.open(b"slow:1000") as stream:
        stream.end()
        assert await anext(stream) == b"."
    async with asyncio.timeout(2):
        assert await ask(worker, b"flood:2") == [PIECE, PIECE]
    await worker.aclose()


@pytest.mark.real
async def test_a_request_that_fails_says_why_and_the_next_is_served() -> None:
    worker = WorkerProcess(spec())
    with pytest.raises(EngineError, match="echo: RuntimeError: failed, as was asked for"):
        await ask(worker, b"fail")
    with pytest.raises(EngineError, match="refused"):
        await ask(worker, b"refuse")
    assert await ask(worker, b"echo", b"x") == [b"x"]
    await worker.aclose()


@pytest.mark.real
async def test_a_crash_fails_who_was_waiting_and_the_worker_starts_again() -> None:
    worker = WorkerProcess(spec())
    await worker.start()
    before = worker.pid
    async with await worker.open(b"slow:500") as bystander:
        bystander.end()
        with pytest.raises(
            EngineError, match=r"ended unexpectedly \(exit code 3; its last words: going down\)"
        ):
            await ask(worker, b"crash")
        with pytest.raises(EngineError, match="ended unexpectedly"):
            [piece async for piece in bystander]
        with pytest.raises(EngineError, match="ended unexpectedly"):
            await bystander.send(b"x")
    assert await ask(worker, b"echo", b"x") == [b"x"]
    assert worker.pid != before
    with pytest.raises(EngineError):
        await ask(worker, b"crash")
    assert await ask(worker, b"echo", b"y") == [b"y"]
    await worker.aclose()


@pytest.mark.real
async def test_a_worker_that_falls_silent_is_ended() -> None:
    worker = WorkerProcess(spec(answer_timeout_s=0.3))
    await worker.start()
    pid = worker.pid
    with pytest.raises(EngineError, match=r"said nothing for 0\.3 s and was stopped"):
        await ask(worker, b"hang")
    assert await ask(worker, b"echo", b"x") == [b"x"]
    assert not alive(pid)
    await worker.aclose()


@pytest.mark.real
async def test_closing_ends_a_worker_that_is_busy() -> None:
    worker = WorkerProcess(spec(stop_timeout_s=0.2))
    async with await worker.open(b"hang") as stream:
        stream.end()
        pid = worker.pid
        await asyncio.sleep(0.1)
        await worker.aclose()
        assert not alive(pid)
        with pytest.raises(EngineError):
            await anext(stream)


@pytest.mark.real
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"arguments": {"broken": True}}, "this engine was made to be broken"),
        ({"target": "lumi.testing.worker_services:Nobody"}, "no attribute 'Nobody'"),
        ({"target": "lumi.nowhere:Nobody"}, "No module named 'lumi.nowhere'"),
        ({"start_timeout_s": 0.0}, "did not start within 0 s"),
    ],
)
async def test_an_engine_that_cannot_start_is_unavailable(changes: dict[str, Any], problem: str) -> None:
    changes = {"target": TARGET, **changes}
    worker = WorkerProcess(WorkerSpec("echo", **changes))
    with pytest.raises(EngineUnavailable, match=problem):
        await worker.start()
    await worker.aclose()


@pytest.mark.real
async def test_one_who_waits_for_the_start_may_leave_and_others_get_it() -> None:
    worker = WorkerProcess(spec())
    first = asyncio.ensure_future(worker.start())
    await asyncio.sleep(0.005)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert await ask(worker, b"echo", b"x") == [b"x"]
    await worker.aclose()


@pytest.mark.real
async def test_a_pool_spreads_requests_and_starts_all() -> None:
    pool = WorkerPool(spec(), 2)
    assert await pool.start() == b"ready to echo"
    assert len(set(pool.pids)) == 2
    async with await pool.open(b"hang") as stuck:
        stuck.end()
        assert await ask(pool, b"echo", b"x") == [b"x"]
        for pid in pool.pids:
            os.kill(pid, signal.SIGINT)  # Ctrl-C reaches the whole group; the parent decides
            os.kill(pid, signal.SIGTERM)
        assert await ask(pool, b"echo", b"y") == [b"y"]
        pids = pool.pids
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    await pool.aclose()
    assert pool.pids == ()


@pytest.mark.real
async def test_a_pool_that_cannot_start_says_why() -> None:
    pool = WorkerPool(spec(arguments={"broken": True}), 2)
    with pytest.raises(EngineUnavailable, match="made to be broken"):
        await pool.start()
    await pool.aclose()


@pytest.mark.real
async def test_a_worker_does_not_outlive_a_parent_that_was_killed() -> None:
    code = f"""
import asyncio
from lumi.engines.worker import WorkerProcess, WorkerSpec
async def main():
    worker = WorkerProcess(WorkerSpec("echo", {TARGET!r}))
    await worker.start()
    print(worker.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:  # noqa: ASYNC220
        assert parent.stdout
        pid = int(await asyncio.to_thread(parent.stdout.readline))
        assert alive(pid)
        parent.kill()
    await asyncio.to_thread(wait_for_the_end_of, pid)


@pytest.mark.real
async def test_a_worker_that_speaks_nonsense_is_ended() -> None:
    worker = WorkerProcess(WorkerSpec("echo", "lumi.testing.worker_services:BabblingService"))
    with pytest.raises(EngineError, match="ended unexpectedly"):
        await ask(worker, b"")
    await worker.aclose()
