"""What looking costs: `python -m lumi.bench.console --devices 100`.

Devices converse with a server (both as in `run.py`), and meanwhile nobody looks, then many consoles do, in turns of some
seconds each, so that whatever else happens on the machine falls on both alike. What the server uses more while they look
is theirs. A console asks what a browser would: `live` every two seconds, and `load` every tenth.
"""

from __future__ import annotations

import asyncio
import http.client
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
import typer
from rich.console import Console

from lumi.bench import meter
from lumi.bench.load import RAMP_S, Event, Job, LoadResult, Ready
from lumi.bench.processes import line, process
from lumi.bench.report import into_page, this_machine
from lumi.bench.statistics import Spread, spread
from lumi.errors import LumiError

EVERY_S = 2.0
LOAD_EVERY = 5
"""`load` is asked with every fifth `live`."""

BEGIN, END = "<!-- console:begin -->", "<!-- console:end -->"
USAGE_ERROR = 2


class Cost(msgspec.Struct, frozen=True):
    """What was measured. CPU in percent of one core; of each turn of looking and of the one before it."""

    devices: int
    consoles: int
    cpu_alone: list[float]
    cpu_watched: list[float]
    poll_ms: Spread
    poll_bytes: Spread
    late_percent: float
    own_late_percent: float

    @property
    def each(self) -> float:
        """What one console costs: the median over all turns."""
        pairs = zip(self.cpu_alone, self.cpu_watched, strict=True)
        return statistics.median(watched - alone for alone, watched in pairs) / self.consoles


@dataclass(slots=True)
class Looking:
    """What the consoles saw of it."""

    took_ms: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)


class Watcher:
    """One console, as far as the server can tell. It blocks, so it lives in threads."""

    def __init__(self, url: str, token: str, looking: Looking) -> None:
        address = urlsplit(url)
        self._line = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=10)
        self._headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
        self._looking = looking
        self._after = 0
        self._load_after = 0.0
        self._polls = 0

    def poll(self) -> None:
        live = self._get(f"live?after={self._after}")
        self._after = int(live["turns"][-1]["number"]) if live["turns"] else self._after
        if self._polls % LOAD_EVERY == 0:
            samples = self._get(f"load?after={self._load_after}")["samples"]
            self._load_after = samples[-1]["at"] if samples else self._load_after
        self._polls += 1

    def close(self) -> None:
        self._line.close()

    def _get(self, path: str) -> dict[str, list[dict[str, float]]]:
        began = time.perf_counter()
        self._line.request("GET", f"/api/v1/{path}", headers=self._headers)
        answer = self._line.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise LumiError(f"{path}: HTTP {answer.status}: {body[:200].decode(errors='replace')}")
        self._looking.took_ms.append(1000 * (time.perf_counter() - began))
        self._looking.sizes.append(len(body))
        found: dict[str, list[dict[str, float]]] = msgspec.json.decode(body)
        return found


@asynccontextmanager
async def watching(url: str, token: str, count: int, looking: Looking) -> AsyncIterator[None]:
    """So many consoles look, evenly spread over their two seconds."""

    async def look(number: int) -> None:
        watcher = Watcher(url, token, looking)
        try:
            await asyncio.sleep(EVERY_S * number / count)
            while True:
                await asyncio.to_thread(watcher.poll)
                await asyncio.sleep(EVERY_S)
        finally:
            watcher.close()

    async with asyncio.TaskGroup() as tasks:
        lookers = [tasks.create_task(look(number)) for number in range(count)]
        try:
            yield
        finally:
            for one in lookers:
                one.cancel()


async def _cpu(pid: int, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    before = meter.read(pid, loop.time())
    await asyncio.sleep(seconds)
    return meter.between(before, meter.read(pid, loop.time())).cpu_percent


async def measure(devices: int, consoles: int, turns: int, seconds: float, ramp_s: float = RAMP_S) -> Cost:
    """Alone, watched, alone, watched …

    Raises:
        BenchFailed: the server or the load generator ended too early.
        LumiError: the server did not answer a console.
    """
    looking, alone, watched = Looking(), list[float](), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        async with process("lumi.bench.target", "cached") as server:
            ready = msgspec.json.decode(await line(server, "server"), type=Ready)
            job_file = Path(folder) / "job.json"
            length_s = turns * 2 * (seconds + EVERY_S)
            job = Job(ready.url, devices, length_s, ready.utterance, ramp_s)
            job_file.write_bytes(msgspec.json.encode(job))
            async with process("lumi.bench.load", str(job_file)) as load:
                msgspec.json.decode(await line(load, "load generator"), type=Event)
                for _ in range(turns):
                    alone.append(await _cpu(server.pid, seconds))
                    async with watching(ready.url, ready.admin_token, consoles, looking):
                        await asyncio.sleep(EVERY_S)  # all of them have asked once
                        watched.append(await _cpu(server.pid, seconds))
                msgspec.json.decode(await line(load, "load generator"), type=Event)
                result = msgspec.json.decode(await line(load, "load generator"), type=LoadResult)
    return Cost(
        devices=devices,
        consoles=consoles,
        cpu_alone=alone,
        cpu_watched=watched,
        poll_ms=spread(looking.took_ms),
        poll_bytes=spread(looking.sizes),
        late_percent=result.late_percent,
        own_late_percent=result.own_late_percent,
    )


def markdown(cost: Cost) -> str:
    """For a page, with where it was measured."""
    machine = this_machine()
    alone, watched = statistics.median(cost.cpu_alone), statistics.median(cost.cpu_watched)
    rows = (
        ("devices in conversation", f"{cost.devices}"),
        ("the server while nobody looks", f"{alone:.1f} % of a core"),
        (f"while {cost.consoles} consoles look", f"{watched:.1f} % of a core"),
        ("**one console**", f"**{cost.each:.2f} % of a core**"),
        ("an answer, median / p95", f"{cost.poll_ms.median:.1f} / {cost.poll_ms.p95:.1f} ms"),
        ("its size, median / p95", f"{_kb(cost.poll_bytes.median)} / {_kb(cost.poll_bytes.p95)} kB"),
        (
            "frames over 20 ms late, server / generator",
            f"{cost.late_percent:.2f} / {cost.own_late_percent:.2f} %",
        ),
    )
    where = f"Lumi {machine.lumi}, {machine.cpu or machine.system}, {machine.cores} cores, Python {machine.python}."
    return (
        "\n".join([where, "", "| | |", "|---|--:|", *(f"| {name} | {value} |" for name, value in rows)])
        + "\n"
    )


def _kb(size: float | None) -> str:
    return "–" if size is None else f"{size / 1000:.1f}"


def command(
    *,
    devices: Annotated[int, typer.Option(min=1, help="Devices in conversation.")] = 100,
    consoles: Annotated[int, typer.Option(min=1, help="Consoles that look; one of them is reckoned.")] = 20,
    turns: Annotated[int, typer.Option(min=1, help="How often they look and look away.")] = 5,
    seconds: Annotated[float, typer.Option(min=1, help="How long each time.")] = 6.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every figure to this file.")] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the table between the marks of this page.")
    ] = None,
) -> None:
    """Measure what an open console costs the server."""
    try:
        page = "" if markdown_file is None else markdown_file.read_text(encoding="utf-8")
        if markdown_file is not None:
            into_page(page, "", BEGIN, END)
        cost = asyncio.run(measure(devices, consoles, turns, seconds))
        Console().print(markdown(cost), markup=False, highlight=False)
        if json_file is not None:
            json_file.write_bytes(msgspec.json.format(msgspec.json.encode(cost)) + b"\n")
        if markdown_file is not None:
            markdown_file.write_text(into_page(page, markdown(cost), BEGIN, END), encoding="utf-8")
    except* (LumiError, OSError) as group:
        Console(stderr=True).print(f"lumi.bench.console: {group.exceptions[0]}", markup=False)
        raise typer.Exit(USAGE_ERROR) from group


def main(arguments: Sequence[str]) -> int:
    """The command with its arguments as a shell would give them; returns the exit code."""
    application = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    application.command()(command)
    try:
        application(args=list(arguments), prog_name="lumi.bench.console")
    except SystemExit as done:
        return int(done.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
