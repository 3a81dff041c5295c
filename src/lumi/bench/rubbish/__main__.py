"""The command: `python -m lumi.bench.rubbish`. Exit code 1 where something happened that must not."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lumi.bench.command_line import exit_code
from lumi.bench.load import LoadResult
from lumi.bench.rubbish.campaign import Outcome, Plan, run
from lumi.bench.rubbish.decoder import Decoded, decode
from lumi.bench.run import check_pinning
from lumi.errors import LumiError

USAGE_ERROR = 2
PLAIN_WIDTH = 120
SHOWN = 20


def decoder_table(decoded: Decoded) -> Table:
    """What the decoder made of it."""
    shown = Table("decoder", "", title="Rubbish through the protocol alone")
    rows = {"frames": decoded.frames, "understood": decoded.understood, "connections": decoded.connections}
    for name, count in (rows | decoded.errors).items():
        shown.add_row(name, f"{count:,}")
    return shown


def live_table(outcome: Outcome) -> Table:
    """What the server, and the devices beside it, met."""
    shown = Table("", "alone", "rubbish", "floods", title="A server with devices in conversation")
    met = (outcome.alone, outcome.beside, outcome.beside_flood)
    figures: tuple[tuple[str, Callable[[LoadResult], object]], ...] = (
        ("frames over 20 ms late, %", lambda one: f"{one.late_percent:.2f}"),
        ("answers", lambda one: one.answers),
        ("answers that stalled", lambda one: one.stalled_answers),
        ("first audio, median ms", lambda one: _ms(one.first_audio_ms.median)),
        ("first audio, p95 ms", lambda one: _ms(one.first_audio_ms.p95)),
        ("generator late, %", lambda one: f"{one.own_late_percent:.2f}"),
    )
    for name, figure in figures:
        shown.add_row(name, *(str(figure(one)) for one in met))
    sent, flood, slow = outcome.sent, outcome.flood, outcome.slow
    shown.add_row("frames sent", "", f"{sent.frames:,} in {sent.seconds:.0f} s", f"{flood.frames:,}")
    for name in dict.fromkeys((*sent.errors, *flood.errors)):
        shown.add_row(f"told: {name}", "", f"{sent.errors.get(name, 0):,}", f"{flood.errors.get(name, 0):,}")
    for code in dict.fromkeys((*sent.closed, *flood.closed)):
        shown.add_row(
            f"closed: {code}", "", f"{sent.closed.get(code, 0):,}", f"{flood.closed.get(code, 0):,}"
        )
    before, after, at_last = (f"{mb:.0f}" for mb in outcome.memory_mb)
    shown.add_row("server memory, MB", before, after, at_last)
    shown.add_row(
        "half-open sockets ended", "", "", f"{slow.ended} of {slow.opened}, after {slow.longest_s:.1f} s"
    )
    return shown


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def command(
    *,
    frames: Annotated[
        int, typer.Option(min=1_000, max=10_000_000, help="Of the decoder, and of the server.")
    ] = 1_000_000,
    per_second: Annotated[float, typer.Option(min=1, help="Frames that the server gets.")] = 2_000.0,
    devices: Annotated[int, typer.Option(min=1, help="Devices that converse beside it.")] = 10,
    half_open: Annotated[
        int, typer.Option(min=0, max=20_000, help="Sockets that never finish a request.")
    ] = 2_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same frames.")] = 1,
    pin: Annotated[bool, typer.Option(help="Server on one core, all others on another.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
) -> None:
    """Send frames that make no sense to the decoder and to a live server, and see that nobody but their sender notices."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        if pin:
            check_pinning()
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("frames through the decoder", total=frames)
            decoded = decode(frames, seed, lambda done: progress.update(task, completed=done))
        console.print(decoder_table(decoded))
        plan = Plan(frames, per_second, devices=devices, half_open=half_open, seed=seed, pin=pin)
        outcome = asyncio.run(run(plan, console.print))
        console.print(live_table(outcome))
        if json_file is not None:
            json_file.write_bytes(msgspec.json.format(msgspec.json.encode((decoded, outcome))) + b"\n")
    except (LumiError, OSError) as error:
        Console(stderr=True).print(f"lumi.bench.rubbish: {error}", markup=False)
        raise typer.Exit(USAGE_ERROR) from error
    for problem in outcome.problems[:SHOWN]:
        console.print(problem, style="red", markup=False)
    raise typer.Exit(1 if outcome.problems else 0)


def main(arguments: Sequence[str]) -> int:
    """The command with its arguments as a shell would give them; returns the exit code."""
    return exit_code(command, arguments, "python -m lumi.bench.rubbish")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
