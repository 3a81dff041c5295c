"""The command about recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumi.cli.options import Json, Token, console
from lumi.commands.running import run

app = typer.Typer()


@app.command()
def replay(
    file: Annotated[str, typer.Argument(help="File of a recording, or the id of a session recorded here.")],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the sound of both sides there (WAV).")
    ] = None,
    play: Annotated[bool, typer.Option("--play", help="Play it by the loudspeaker.")] = False,
    again: Annotated[
        bool,
        typer.Option("--run", help="Run it again against this Lumi, in memory, and tell what is different."),
    ] = False,
    url: Annotated[
        str | None,
        typer.Option("--url", help="Run it again against the server at this address, in real time."),
    ] = None,
    token: Token = None,
    settings: Annotated[Path | None, typer.Option("--config", help="Settings file (TOML).")] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Where the server keeps it (LUMI_DATA_DIR).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a recorded session as a timeline, hear it, or run it again (exit code 1: something is different)."""
    from lumi.commands.replay import ReplayOptions
    from lumi.commands.replay import replay as command

    terminal = console(as_json=as_json)
    options = ReplayOptions(file, out, play, again, url, token, settings, data_dir)
    run(terminal, lambda: command(terminal, options))
