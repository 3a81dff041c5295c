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


@app.command()
def init(
    *,
    file: Annotated[Path, typer.Option("--file", help="Where to write the settings.")] = Path("lumi.toml"),
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: take what is found, else defaults.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write a settings file: a few questions, and what is found on this machine and in the network."""
    from lumi.commands.init import InitOptions
    from lumi.commands.init import init as command

    terminal = console(as_json=as_json)
    run(terminal, lambda: command(terminal, InitOptions(file, yes or as_json, force)))


@app.command()
def reload(
    *,
    file: File = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Data directory of the running server (LUMI_DATA_DIR).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Have the running server read its settings anew; conversations go on."""
    from lumi.commands.reload import reload as command

    terminal = console(as_json=as_json)
    run(terminal, lambda: command(terminal, file, data_dir))
