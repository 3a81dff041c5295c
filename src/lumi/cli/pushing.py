"""The command that has a device say something."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumi.cli.options import Ca, Json, console
from lumi.commands.running import run

app = typer.Typer()


@app.command()
def push(
    device: Annotated[str | None, typer.Argument(help="The device's id, or its name.")] = None,
    text: Annotated[str | None, typer.Argument(help="What it is to say.")] = None,
    *,
    at: Annotated[
        str | None, typer.Option("--at", help="When: 18:30, or 2026-01-31T18:30 (this machine's clock).")
    ] = None,
    after: Annotated[str | None, typer.Option("--in", help="When: 10m, 1h30m, 90 (seconds).")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show what is still to be said.")] = False,
    cancel: Annotated[str | None, typer.Option("--cancel", metavar="ID", help="Take one back.")] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            help="Address of a server elsewhere, or 'auto': the one in the local network. "
            "None: this machine's, running or not.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--admin-token", envvar="LUMI_ADMIN_TOKEN", help="Of the server at --url: lumi token admin."
        ),
    ] = None,
    ca: Ca = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="Settings file (TOML); by default ./lumi.toml.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Have a device say something: now, at a time, or, if it is away, when it is back."""
    from lumi.commands import push as command

    terminal, where = console(as_json=as_json), command.Where(config, url, token, ca)
    if list_:
        run(terminal, lambda: command.waiting(terminal, where))
    if cancel is not None:
        run(terminal, lambda: command.cancel(terminal, where, cancel))
    if device is None or text is None or not text.strip():
        raise typer.BadParameter('say which device and what, e.g. lumi push kitchen "Dinner is ready."')
    run(terminal, lambda: command.push(terminal, where, device, text, at, after))
