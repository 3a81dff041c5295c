"""The commands about settings, and about what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumi.cli.options import Json, console
from lumi.commands.running import run

app = typer.Typer()

File = Annotated[Path | None, typer.Option("--config", help="Settings file (TOML); by default ./lumi.toml.")]
Profile = Annotated[
    str | None, typer.Option("--profile", help="Profile of the settings file (LUMI_PROFILE).")
]


@app.command()
def config(*, file: File = None, profile: Profile = None, as_json: Json = False) -> None:
    """Show the settings that hold, and who said so: flag, environment, profile, file or default."""
    from lumi.commands.config import config as command

    terminal = console(as_json=as_json)
    run(terminal, lambda: command(terminal, file, profile))
