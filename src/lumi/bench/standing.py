"""What a server costs before anybody speaks: `python -m lumi.bench.standing`.

How long it takes from the command to the first answered hello, and what a connection costs on which nothing happens
after its hello. The server is a process of its own, with its own engines and settings.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import time
import urllib.request
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Annotated

import msgspec
import typer

from lumi.bench import meter
from lumi.bench.load import new_loop
from lumi.bench.processes import BenchFailed
from lumi.errors import LumiError, NetworkError
from lumi.transport.base import Link
from lumi.transport.websocket import connect

HELLO = '{"id":"1","type":"hello","version":1,"transport":"websocket","device_id":"bench-%d"}'

FIRST_LINKS = 50
"""Connections before the memory is read for the first time: what the first ones load is not what one more costs."""

RETRY_S = 0.005
PATIENCE_S = 60.0
AT_A_TIME = 50
USAGE_ERROR = 2


class Standing(msgspec.Struct, frozen=True):
    """What was measured."""

    start_s: list[float]
    """From the command to the first answered hello, each time."""
    start_cpu_s: list[float]
    """CPU seconds spent by then."""
    links: int
    link_kib: float
    """Resident memory of one connection."""
    idle_cpu_percent: float
    """Of one core, for all of them."""


@asynccontextmanager
async def server() -> AsyncIterator[tuple[Process, str]]:
    """`lumi serve` as somebody runs it for the first time, and its address; not waited for."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LUMI_")}
        command = ("-m", "lumi", "serve", "--port", str(port), "--data-dir", str(Path(folder) / "data"))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            cwd=folder,
            env=environment,
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        try:
            yield process, f"ws://127.0.0.1:{port}/"
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def greeted(url: str, number: int) -> Link:
    """A connection whose hello has been answered; as soon as anybody listens."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                link = await connect(url)
                break
            except NetworkError:
                await asyncio.sleep(RETRY_S)
        await link.send(HELLO % number)
        answer = await link.receive()
    if '"hello"' not in str(answer):
        raise BenchFailed(f"the server answered hello with {answer!r}")
    return link


async def ready(url: str) -> None:
    """Wait until everything is loaded."""
    await (await greeted(url, 0)).close()
    await asyncio.to_thread(_well, url.replace("ws:", "http:") + "healthz")


def _well(address: str) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - of our own server
                return
        except OSError as error:  # not ready is 503
            if time.monotonic() > give_up_s:
                raise BenchFailed(f"the server is not ready after {PATIENCE_S:g} s: {error}") from error
            time.sleep(0.1)


async def start() -> tuple[float, float]:
    """Seconds from the command to the first answered hello, and the CPU seconds it took."""
    began_s = time.monotonic()
    async with server() as (process, url):
        link = await greeted(url, 0)
        taken_s = time.monotonic() - began_s
        cpu_s = meter.read(process.pid, taken_s).cpu_s
        await link.close()
    return taken_s, cpu_s


async def idle(links: int, seconds: float) -> tuple[float, float]:
    """KiB of one connection, and percent of a core for all of them while nobody says anything."""
    clock = asyncio.get_running_loop().time
    async with server() as (process, url), AsyncExitStack() as open_links:
        await ready(url)

        async def more(numbers: range) -> meter.Reading:
            for first in range(numbers.start, numbers.stop, AT_A_TIME):
                batch = range(first, min(first + AT_A_TIME, numbers.stop))
                for link in await asyncio.gather(*(greeted(url, number) for number in batch)):
                    open_links.push_async_callback(link.close)
            await asyncio.sleep(2)  # what is done after a hello is done
            return meter.read(process.pid, clock())

        few = await more(range(FIRST_LINKS))
        many = await more(range(FIRST_LINKS, FIRST_LINKS + links))
        await asyncio.sleep(seconds)
        later = meter.read(process.pid, clock())
        return (many.rss_bytes - few.rss_bytes) / 1024 / links, meter.between(many, later).cpu_percent


async def measure(starts: int, links: int, seconds: float) -> Standing:
    """All of it, one after the other."""
    started = [await start() for _ in range(starts)]
    link_kib, cpu_percent = await idle(links, seconds)
    return Standing([s for s, _ in started], [cpu for _, cpu in started], links, link_kib, cpu_percent)


def sentences(found: Standing) -> str:
    """For people."""
    return (
        f"From the command to the first answered hello: {median(found.start_s):.2f} s, of which "
        f"{median(found.start_cpu_s):.2f} s CPU (median of {len(found.start_s)}).\n"
        f"{found.links} connections on which nothing happens: {found.link_kib:.1f} KiB each, "
        f"{found.idle_cpu_percent:.1f} % of a core together."
    )


def command(
    *,
    starts: Annotated[int, typer.Option(min=1, help="How often the server is started.")] = 5,
    links: Annotated[int, typer.Option(min=1, help="Connections that are held open.")] = 1000,
    seconds: Annotated[float, typer.Option(min=1, help="How long they are held.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Every figure, as JSON.")] = False,
) -> None:
    """Measure how fast the server starts, and what a silent connection costs."""
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            found = runner.run(measure(starts, links, seconds))
    except (LumiError, OSError, TimeoutError) as error:
        typer.echo(f"lumi.bench.standing: {error or 'the server does not answer'}", err=True)
        raise typer.Exit(USAGE_ERROR) from error
    typer.echo(msgspec.json.encode(found).decode() if as_json else sentences(found))


if __name__ == "__main__":
    typer.run(command)
