"""The command: `lumi bench --devices 1,10,25,50`, or `python -m lumi.bench.run` with the same options.

For each number of devices a fresh server and a fresh load generator, each a process of its own; the server's CPU time,
memory and threads are read when all devices talk and when the measured time is over.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from lumi.bench import meter
from lumi.bench.command_line import exit_code
from lumi.bench.load import RAMP_S, Event, Job, LoadResult, Ready
from lumi.bench.processes import line, process
from lumi.bench.report import Level, Options, Report, into_page, markdown, table, this_machine
from lumi.errors import ConfigError, LumiError

SERVER_CORE, LOAD_CORE = 0, 1
USAGE_ERROR = 2
PLAIN_WIDTH = 120
"""Columns of a table that goes to a file or a pipe."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    devices: tuple[int, ...]
    seconds: float
    cached: bool = False
    pin: bool = False
    ramp_s: float = RAMP_S


async def _usage(server: Process, load: Process) -> tuple[meter.Usage, LoadResult]:
    """Follow one load generator: what the server used between `steady` and `over`, and what the devices met."""
    loop = asyncio.get_running_loop()
    readings: list[meter.Reading] = []
    while True:
        said = msgspec.json.decode(await line(load, "load generator"), type=dict)
        if said["event"] == "result":
            before, after = readings
            return meter.between(before, after), msgspec.convert(said, LoadResult)
        msgspec.convert(said, Event)
        readings.append(meter.read(server.pid, loop.time()))


async def measure(plan: Plan, devices: int) -> Level:
    """One level.

    Raises:
        BenchFailed: the server or the load generator ended too early.
    """
    answers = "cached" if plan.cached else "fresh"
    with tempfile.TemporaryDirectory() as folder:
        async with process("lumi.bench.target", answers, core=SERVER_CORE if plan.pin else None) as server:
            ready = msgspec.json.decode(await line(server, "server"), type=Ready)
            job = Job(ready.url, devices, plan.seconds, ready.utterance, plan.ramp_s)
            job_file = Path(folder) / "job.json"
            job_file.write_bytes(msgspec.json.encode(job))
            core = LOAD_CORE if plan.pin else None
            async with process("lumi.bench.load", str(job_file), core=core) as load:
                usage, result = await _usage(server, load)
    return Level(result, usage.cpu_percent, usage.rss_mb, usage.threads, usage.processes)


async def run(plan: Plan, console: Console) -> Report:
    """All levels, one after the other."""
    levels = []
    for devices in plan.devices:
        with console.status(f"{devices} devices in conversation"):
            levels.append(await measure(plan, devices))
        for error in levels[-1].load.errors[:3]:
            console.print(f"[red]{error}[/red]")
    return Report(this_machine(), Options(plan.seconds, plan.cached, plan.pin), levels)


def parse_devices(text: str) -> tuple[int, ...]:
    """`1,10,25` → (1, 10, 25).

    Raises:
        ConfigError: names the option and what is accepted.
    """
    try:
        devices = tuple(int(part) for part in text.split(","))
    except ValueError:
        devices = ()
    if not devices or min(devices) < 1:
        raise ConfigError("--devices", f"{text!r} is not accepted; give whole numbers from 1, e.g. 1,10,25")
    return devices


def check_pinning() -> None:
    """Raises `ConfigError` where processes cannot be pinned to two cores of their own."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if not {SERVER_CORE, LOAD_CORE} <= cores:
        raise ConfigError("--pin", "needs Linux and two cores; leave it out to share what there is")


def bench(plan: Plan, console: Console, *, json_file: Path | None = None, page: Path | None = None) -> Report:
    """Measure, show the table, and write what was asked for.

    Raises:
        ConfigError: pinning is not possible, or the page has no place for the table.
        BenchFailed: a process of the bench ended too early.
    """
    if plan.pin:
        check_pinning()
    if page is not None:
        into_page(page.read_text(encoding="utf-8"), "")
    report = asyncio.run(run(plan, console))
    console.print(table(report.levels))
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    if page is not None:
        page.write_text(into_page(page.read_text(encoding="utf-8"), markdown(report)), encoding="utf-8")
    return report


def command(
    *,
    devices: Annotated[str, typer.Option(help="Numbers of devices, one level each.")] = "1,10,25,50",
    seconds: Annotated[float, typer.Option(min=1, help="Measured time of each level.")] = 30.0,
    cached: Annotated[bool, typer.Option(help="Always the same answers, from the cache.")] = False,
    pin: Annotated[bool, typer.Option(help="Server on one core, load generator on another.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every figure to this file.")] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the table between the marks of this page.")
    ] = None,
) -> None:
    """Measure how many devices this machine carries in conversation, and what each of them costs."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    try:
        plan = Plan(parse_devices(devices), seconds, cached, pin)
        bench(plan, console, json_file=json_file, page=markdown_file)
    except (LumiError, OSError) as error:
        Console(stderr=True).print(f"lumi bench: {error}", markup=False)
        raise typer.Exit(USAGE_ERROR) from error


def main(arguments: Sequence[str]) -> int:
    """The command with its arguments as a shell would give them; returns the exit code."""
    return exit_code(command, arguments, "lumi bench")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
