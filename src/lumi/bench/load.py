"""The load generator, a process of its own: `python -m lumi.bench.load JOB.json`.

It writes one JSON object a line on standard output: `{"event": "steady"}` when all devices talk, `{"event": "over"}`
when the measured time is over, and at last `{"event": "result", …}`. Its own lateness is part of the result: where it is
large, the figures say nothing about the server.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from lumi.bench.device import FRAME_S, Notes, VirtualDevice
from lumi.bench.statistics import Spread, share_above, spread
from lumi.errors import NetworkError
from lumi.transport.websocket import connect

RAMP_S = 8.0
"""Devices begin over about one turn's length, so that they do not all speak at once."""

OWN_LATE_S = 0.010
"""A send of the generator that was later than this counts as its own fault."""

MAX_OWN_LATE_PERCENT = 1.0
"""A run whose generator was late more often than this is void."""


class Ready(msgspec.Struct, frozen=True):
    """What the measured server says when it can be called: where, and what the devices are to say to it."""

    url: str
    utterance: list[bytes]
    admin_token: str = ""


class Job(msgspec.Struct, frozen=True):
    """What to do. `utterance`: Opus packets of 60 ms."""

    url: str
    devices: int
    seconds: float
    utterance: list[bytes]
    ramp_s: float = RAMP_S


class LoadResult(msgspec.Struct, frozen=True, tag_field="event", tag="result"):
    """What the devices of one run met. Times in milliseconds."""

    devices: int
    answers: int
    packets: int
    late_percent: float
    stalls: int
    stalled_answers: int
    worst_ms: float
    first_audio_ms: Spread
    hello_ms: Spread
    unanswered: int
    errors: list[str]
    own_late_percent: float
    own_late_ms: Spread

    @property
    def void(self) -> bool:
        """Whether the generator was too late to judge the server."""
        return self.own_late_percent > MAX_OWN_LATE_PERCENT


class Event(msgspec.Struct, frozen=True):
    """A mark in time: `steady` or `over`."""

    event: str


def summarize(devices: int, notes: Notes) -> LoadResult:
    """What the notes come to."""
    packets = sum(answer.packets for answer in notes.answers)
    late = sum(answer.late for answer in notes.answers)
    return LoadResult(
        devices=devices,
        answers=len(notes.answers),
        packets=packets,
        late_percent=100 * late / packets if packets else 0.0,
        stalls=sum(answer.stalls for answer in notes.answers),
        stalled_answers=sum(answer.stalls > 0 for answer in notes.answers),
        worst_ms=1000 * max((answer.worst_s for answer in notes.answers), default=0.0),
        first_audio_ms=spread([1000 * answer.first_audio_s for answer in notes.answers]),
        hello_ms=spread([1000 * hello_s for hello_s in notes.hellos_s]),
        unanswered=notes.unanswered,
        errors=notes.errors,
        own_late_percent=share_above(notes.sends_late_s, OWN_LATE_S),
        own_late_ms=spread([1000 * late_s for late_s in notes.sends_late_s]),
    )


async def _device(job: Job, number: int, begin_s: float, until_s: float, notes: Notes) -> None:
    await asyncio.sleep(begin_s + job.ramp_s * number / job.devices - time.perf_counter())
    name = f"bench-{number:04}"
    try:
        link = await connect(job.url)
    except NetworkError as error:
        notes.errors.append(f"{name}: {error}")
        return
    try:
        await VirtualDevice(link, name, job.utterance, notes).converse(until_s)
    finally:
        await link.close()


async def _metronome(until_s: float, notes: Notes) -> None:
    """A device that only looks at the clock: shows the generator's lateness also while nobody sends."""
    due_s = time.perf_counter()
    while due_s < until_s:
        due_s += FRAME_S
        await asyncio.sleep(due_s - time.perf_counter())
        notes.sends_late_s.append(time.perf_counter() - due_s)


async def generate(job: Job, tell: Callable[[Event], None]) -> LoadResult:
    """Run the devices; `tell` hears when all of them talk and when the time is over."""
    notes = Notes()
    begin_s = time.perf_counter()
    until_s = begin_s + job.ramp_s + job.seconds
    async with asyncio.TaskGroup() as group:
        for number in range(job.devices):
            group.create_task(_device(job, number, begin_s, until_s, notes))
        group.create_task(_metronome(until_s, notes))
        await asyncio.sleep(job.ramp_s)
        tell(Event("steady"))
        await asyncio.sleep(job.seconds)
        tell(Event("over"))
    return summarize(job.devices, notes)


def _tell(event: Event | LoadResult) -> None:
    sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
    sys.stdout.flush()


def new_loop() -> asyncio.AbstractEventLoop:
    """The fastest event loop there is here."""
    try:
        import uvloop
    except ImportError:  # not on Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def main(job_file: str) -> None:
    """Run one job."""
    job = msgspec.json.decode(Path(job_file).read_bytes(), type=Job)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        _tell(runner.run(generate(job, _tell)))


if __name__ == "__main__":
    main(sys.argv[1])
