"""The command `lumi`: reads the arguments, nothing else. What the commands do stands in `lumi.commands`.

Exit codes: 0 done, 1 something is not well, 2 wrong input or no server, 130 Ctrl-C.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Annotated

import typer

from lumi._version import __version__
from lumi.cli import data, devices, engines, models, pushing, replay, serving, settings, talking

app = typer.Typer(
    name="lumi",
    help="Lumi: a real-time voice assistant you host yourself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - the callback's shape is typer's
    if wanted:
        typer.echo(f"lumi {__version__}")
        raise typer.Exit


@app.callback()
def lumi(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A real-time voice assistant you host yourself."""


for part in (devices, pushing, serving, settings, talking, engines, replay):
    app.add_typer(part.app)
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")


def main() -> None:
    """Entry point of the command `lumi`."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows a mark instead; it is no reason to fail.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    app(prog_name="lumi")
