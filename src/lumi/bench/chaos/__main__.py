"""The command: `python -m lumi.bench.chaos`. Exit code 1 where anything was lost or came twice."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lumi.bench.chaos.campaigns import KINDS
from lumi.bench.chaos.memory import Progress as Tell
from lumi.bench.chaos.record import Outcome
from lumi.bench.command_line import exit_code
from lumi.errors import ConfigError, LumiError

USAGE_ERROR = 2
PLAIN_WIDTH = 140
SHOWN = 20
"""Problems of one campaign that are shown; the JSON has them all."""


def chosen(names: str) -> list[str]:
    """`memory,server` → its names.

    Raises:
        ConfigError: there is no such campaign.
    """
    if names == "all":
        return list(KINDS)
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name not in KINDS]
    if unknown:
        raise ConfigError("--only", f"there is no {unknown[0]!r}; give some of {', '.join(KINDS)}, or all")
    return wanted


@contextmanager
def progress_bar(console: Console, what: str, total: int) -> Iterator[Tell]:
    """A bar on a terminal; nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=min(done, total))


def table(outcomes: Sequence[Outcome]) -> Table:
    """One row for each campaign."""
    shown = Table(title="Nothing lost, nothing twice")
    for heading in (
        "campaign",
        "seed",
        "faults",
        "restarts",
        "chats",
        "answers begun",
        "begun anew",
        "seconds",
        "problems",
    ):
        shown.add_column(heading, justify="left" if heading == "campaign" else "right")
    for one in outcomes:
        figures = (one.seed, one.faults, one.restarts, one.chats, one.answers_made, one.remade)
        shown.add_row(one.name, *map(str, figures), f"{one.seconds:.1f}", str(len(one.problems)))
    return shown


def run(names: Sequence[str], faults: int | None, seed: int, console: Console) -> list[Outcome]:
    """One campaign after the other."""
    outcomes = []
    for name in names:
        kind = KINDS[name]
        count = faults or kind.faults
        with progress_bar(console, kind.what, count) as tell:
            outcomes.append(kind.run(count, seed, tell))
        for problem in outcomes[-1].problems[:SHOWN]:
            console.print(f"{name}: {problem}", style="red", markup=False)
    return outcomes


def command(
    *,
    only: Annotated[str, typer.Option(help=f"Which campaigns: some of {', '.join(KINDS)}; or all.")] = "all",
    faults: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Faults of each; usually 1,000 cuts and 100 kills.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed throws the same faults.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
) -> None:
    """Cut lines and kill processes in the middle of conversations, and see whether a word is lost or comes twice."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    try:
        outcomes = run(chosen(only), faults, seed, console)
        console.print(table(outcomes))
        if json_file is not None:
            json_file.write_bytes(msgspec.json.format(msgspec.json.encode(outcomes)) + b"\n")
    except (LumiError, OSError) as error:
        Console(stderr=True).print(f"lumi.bench.chaos: {error}", markup=False)
        raise typer.Exit(USAGE_ERROR) from error
    raise typer.Exit(1 if any(one.problems for one in outcomes) else 0)


def main(arguments: Sequence[str]) -> int:
    """The command with its arguments as a shell would give them; returns the exit code."""
    return exit_code(command, arguments, "python -m lumi.bench.chaos")


if __name__ == "__main__":
    # That lines break is the point here: the clients need not say so each time.
    logging.getLogger("lumi.client").addHandler(logging.NullHandler())
    sys.exit(main(sys.argv[1:]))
