"""The scheduler inside a worker, without a process; and the process's own borders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from lumi.engines.worker_frames import (
    CONTROL_STREAM,
    WINDOW_BYTES,
    Frame,
    FrameReader,
    Kind,
    pack,
    pack_credit,
)
from lumi.engines.worker_main import Scheduler, load, read_exactly
from lumi.testing.worker_services import PIECE, EchoService


class Bench:
    """A scheduler and all it has sent."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.scheduler = Scheduler(EchoService(), self.sent.extend)

    def receive(self, kind: Kind, stream: int, body: bytes = b"") -> None:
        self.scheduler.receive(Frame(kind, stream, body))

    def run(self, steps: int = 1_000) -> list[Frame]:
        for _ in range(steps):
            if not self.scheduler.busy:
                break
            self.scheduler.step()
        frames = list(FrameReader().feed(bytes(self.sent)))
        self.sent.clear()
        return frames


@pytest.fixture
def bench() -> Bench:
    return Bench()


def said(frames: list[Frame], stream: int) -> list[tuple[Kind, bytes]]:
    return [
        (frame.kind, frame.body)
        for frame in frames
        if frame.stream == stream and frame.kind is not Kind.CREDIT
    ]


def test_serves_a_stream_from_open_to_end(bench: Bench) -> None:
    bench.receive(Kind.OPEN, 1, b"echo")
    bench.receive(Kind.DATA, 1, b"abc")
    bench.receive(Kind.END, 1)
    frames = bench.run()
    assert said(frames, 1) == [(Kind.DATA, b"abc"), (Kind.END, b"")]
    assert [frame for frame in frames if frame.kind is Kind.CREDIT] == list(
        FrameReader().feed(pack_credit(1, 3))
    )
    assert not bench.scheduler.busy


def test_streams_take_turns(bench: Bench) -> None:
    for stream in (1, 2):
        bench.receive(Kind.OPEN, stream, b"flood:3")
        bench.receive(Kind.END, stream)
    order = [frame.stream for frame in bench.run()]
    assert order == [1, 2] * 4


def test_a_stream_whose_reader_is_slow_waits_for_credit(bench: Bench) -> None:
    bench.receive(Kind.OPEN, 1, b"flood:100")
    bench.receive(Kind.END, 1)
    frames = bench.run()
    assert len(frames) == WINDOW_BYTES // len(PIECE)
    assert not bench.scheduler.busy
    bench.receive(Kind.CREDIT, 1, pack_credit(1, len(PIECE))[9:])
    assert len(bench.run()) == 1


def test_one_stream_s_failure_is_not_the_other_s(bench: Bench) -> None:
    bench.receive(Kind.OPEN, 1, b"fail")
    bench.receive(Kind.OPEN, 2, b"flood:2")
    for stream in (1, 2):
        bench.receive(Kind.END, stream)
    frames = bench.run()
    assert said(frames, 1) == [(Kind.FAILED, b"RuntimeError: failed, as was asked for")]
    assert said(frames, 2) == [(Kind.DATA, PIECE), (Kind.DATA, PIECE), (Kind.END, b"")]


def test_a_request_that_cannot_be_opened_fails_alone(bench: Bench) -> None:
    bench.receive(Kind.OPEN, 1, b"refuse")
    bench.receive(Kind.DATA, 1, b"late")
    assert said(bench.run(), 1) == [(Kind.FAILED, b"ValueError: refused, as was asked for")]


def test_a_cancelled_stream_says_no_more(bench: Bench) -> None:
    bench.receive(Kind.OPEN, 1, b"flood:100")
    bench.receive(Kind.END, 1)
    bench.scheduler.step()
    bench.receive(Kind.CANCEL, 1)
    for kind in (Kind.CANCEL, Kind.END, Kind.CREDIT, Kind.DATA):
        bench.receive(kind, 1, b"\0\0\0\0")  # late, of a stream that is gone
    bench.sent.clear()
    assert bench.run() == []


def test_load_imports_what_is_named() -> None:
    request = json.dumps(
        {"target": "lumi.testing.worker_services:EchoService", "arguments": {"greeting": "hi"}}
    )
    assert isinstance(load(request.encode()), EchoService)


def test_read_exactly_ends_with_the_pipe() -> None:
    read_fd, write_fd = os.pipe()
    os.write(write_fd, b"abcdef")
    assert read_exactly(read_fd, 4) == b"abcd"
    os.close(write_fd)
    assert read_exactly(read_fd, 4) == b"ef"
    os.close(read_fd)


def run_worker(data: bytes) -> tuple[list[Frame], subprocess.CompletedProcess[bytes]]:
    command = [sys.executable, "-P", "-m", "lumi.engines.worker_main"]
    done = subprocess.run(command, input=data, capture_output=True, timeout=20, check=False)
    return list(FrameReader().feed(done.stdout)), done


def opening(**arguments: Any) -> bytes:
    wanted = {"target": "lumi.testing.worker_services:EchoService", "arguments": arguments}
    return pack(Kind.OPEN, CONTROL_STREAM, json.dumps(wanted).encode())


@pytest.mark.real
def test_the_process_ends_with_its_input_and_libraries_may_print() -> None:
    data = opening() + pack(Kind.OPEN, 1, b"chatter") + pack(Kind.DATA, 1, b"x") + pack(Kind.END, 1)
    read_fd, write_fd = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "lumi.engines.worker_main"],
        stdin=read_fd, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        os.close(read_fd)
        os.write(write_fd, data)
        reader, frames = FrameReader(), list[Frame]()
        assert process.stdout
        assert process.stderr
        while not any(frame.kind is Kind.END for frame in frames):
            frames += reader.feed(os.read(process.stdout.fileno(), 1_000))
        os.close(write_fd)
        assert process.wait(timeout=10) == 0
        assert b"hello from a library" in process.stderr.read()
    assert frames[0] == Frame(Kind.READY, CONTROL_STREAM, b"ready to echo")
    assert (Kind.DATA, b"x") in said(frames, 1)


@pytest.mark.real
def test_an_engine_that_cannot_start_says_why() -> None:
    frames, done = run_worker(opening(broken=True))
    assert frames == [Frame(Kind.FAILED, CONTROL_STREAM, b"ValueError: this engine was made to be broken")]
    assert done.returncode == 1


@pytest.mark.real
def test_a_worker_imports_no_server() -> None:
    code = "import sys, lumi.engines.worker_main as w; print([m for m in ('asyncio', 'aiohttp', 'numpy') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout.strip() == "[]"
