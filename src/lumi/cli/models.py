"""The commands that fetch and keep models."""

from __future__ import annotations

from typing import Annotated

import typer

from lumi.cli.options import Json, console
from lumi.commands.running import run

app = typer.Typer(help="Models for the engines that run here.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="Its name; lumi models list shows them.")]


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """Show which models there are, and which are here."""
    from lumi.commands.models import list_models

    terminal = console(as_json=as_json)
    run(terminal, lambda: list_models(terminal))


@app.command()
def add(name: Name, *, as_json: Json = False) -> None:
    """Fetch a model; goes on where it was broken off."""
    from lumi.commands.models import add_model

    terminal = console(as_json=as_json)
    run(terminal, lambda: add_model(terminal, name))


@app.command()
def remove(name: Name, *, as_json: Json = False) -> None:
    """Take a model away again."""
    from lumi.commands.models import remove_model

    terminal = console(as_json=as_json)
    run(terminal, lambda: remove_model(terminal, name))
