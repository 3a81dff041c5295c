"""A live server with devices in conversation: first alone, then beside connections that send it rubbish."""

from __future__ import annotations

import asyncio
import tempfile
from asyncio.subprocess import Process
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psutil

from lumi.bench.load import Job as Load
from lumi.bench.load import LoadResult, Ready
from lumi.bench.processes import line, process
from lumi.bench.rubbish.sender import Job, Sent
from lumi.bench.rubbish.slow import SlowResult, hold
from lumi.bench.run import LOAD_CORE, SERVER_CORE

MB = 1e6
COMPLAINTS = (
    "Traceback",
    "message failed",
    "session broke",
    "writing failed",
    "turn failed",
    "never retrieved",
)
"""What stands in a server's log where something went wrong that nobody foresaw."""

SHOWN = 20
FLOOD_S = 20.0
FLOOD_FRAMES = 10_000
"""Of each connection, unless the time is over before: the server takes them slowly."""

UNBOUNDED = 1e9


@dataclass(frozen=True, slots=True)
class Plan:
    """What is thrown at the server, beside `devices` that converse.

    First `frames` of rubbish at `per_second` over so many `connections` that none sends more than it may; then `floods`
    connections that send as fast as they can; then `half_open` sockets.
    """

    frames: int
    per_second: float = 2_000.0
    connections: int = 200
    devices: int = 10
    floods: int = 8
    half_open: int = 2_000
    seed: int = 1
    pin: bool = False
    """The server on one core, all that is thrown at it on another."""

    @property
    def seconds(self) -> float:
        return max(10.0, self.frames / self.per_second)

    @property
    def server_core(self) -> int | None:
        return SERVER_CORE if self.pin else None

    @property
    def load_core(self) -> int | None:
        return LOAD_CORE if self.pin else None

    def rubbish(self, url: str) -> Job:
        return Job(url, self.frames, self.per_second, self.connections, self.seed)

    def flood(self, url: str) -> Job:
        return Job(url, FLOOD_FRAMES * self.floods, UNBOUNDED, self.floods, self.seed + 1, longest_s=FLOOD_S)


class Outcome(msgspec.Struct, frozen=True):
    """What was seen. Memory is the server's own, in MB: before the rubbish, after it, after the half-open sockets."""

    sent: Sent
    flood: Sent
    alone: LoadResult
    beside: LoadResult
    beside_flood: LoadResult
    slow: SlowResult
    memory_mb: tuple[float, float, float]
    complaints: list[str]

    @property
    def problems(self) -> list[str]:
        """What must not happen."""
        found = [*self.sent.problems, *self.flood.problems, *self.complaints]
        if self.sent.untold:
            found.append(f"{self.sent.untold} frames without sense were not complained of")
        if self.slow.ended < self.slow.opened:
            found.append(f"{self.slow.opened - self.slow.ended} half-open sockets were never ended")
        for met in (self.beside, self.beside_flood):
            found += met.errors
            if met.unanswered:
                found.append(f"{met.unanswered} questions of the devices were not answered")
        return found


async def run(plan: Plan, tell: Callable[[str], None]) -> Outcome:
    """One campaign; `tell` hears what goes on.

    Raises:
        BenchFailed: a process ended too early.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        with log.open("wb") as stderr:
            async with process("lumi.bench.target", "fresh", core=plan.server_core, stderr=stderr) as server:
                ready = msgspec.json.decode(await line(server, "server"), type=Ready)
                tell(f"{plan.devices} devices alone")
                alone = await _converse(plan, ready, 15.0, folder)
                before = _memory_mb(server)
                tell(f"{plan.frames} frames of rubbish beside them")
                beside, sent = await asyncio.gather(
                    _converse(plan, ready, plan.seconds, folder),
                    _send(plan.rubbish(ready.url), folder, plan.load_core),
                )
                tell(f"{plan.floods} connections that send as fast as they can")
                beside_flood, flood = await asyncio.gather(
                    _converse(plan, ready, FLOOD_S, folder),
                    _send(plan.flood(ready.url), folder, plan.load_core),
                )
                after = _memory_mb(server)
                tell(f"{plan.half_open} sockets that never finish their request")
                address = urlsplit(ready.url)
                slow = await hold(address.hostname or "", address.port or 0, plan.half_open)
                memory = (before, after, _memory_mb(server))
        return Outcome(
            sent,
            flood,
            alone,
            beside,
            beside_flood,
            slow,
            memory,
            complaints(log.read_text("utf-8", "replace")),
        )


async def _converse(plan: Plan, ready: Ready, seconds: float, folder: str) -> LoadResult:
    job = Load(ready.url, plan.devices, seconds, ready.utterance)
    file = _write(folder, f"load-{seconds}", job)
    async with process("lumi.bench.load", file, core=plan.load_core) as load:
        while True:
            said = await line(load, "load generator")
            if b'"result"' in said:
                return msgspec.json.decode(said, type=LoadResult)


async def _send(job: Job, folder: str, core: int | None) -> Sent:
    file = _write(folder, f"rubbish-{job.seed}", job)
    async with process("lumi.bench.rubbish.sender", file, core=core) as sender:
        return msgspec.json.decode(await line(sender, "sender"), type=Sent)


def _write(folder: str, name: str, job: msgspec.Struct) -> str:
    file = Path(folder) / f"{name}.json"
    file.write_bytes(msgspec.json.encode(job))
    return str(file)


def _memory_mb(server: Process) -> float:
    return float(psutil.Process(server.pid).memory_info().rss) / MB


def complaints(log: str) -> list[str]:
    """The lines of a server's log that must not be there, the first few."""
    return [text for text in log.splitlines() if any(mark in text for mark in COMPLAINTS)][:SHOWN]
