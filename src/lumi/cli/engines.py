"""The command that shows the engines."""

from __future__ import annotations

import typer

from lumi.cli.options import Json, console
from lumi.commands.running import run

app = typer.Typer()


@app.command()
def engines(*, as_json: Json = False) -> None:
    """Show what hears, answers and speaks here, and what is missing for more."""
    from lumi.commands.engines import engines as command

    terminal = console(as_json=as_json)
    run(terminal, lambda: command(terminal))
