"""The commands about what is kept of people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumi.cli.options import Json, console
from lumi.commands.running import run

app = typer.Typer(
    help="What is kept of a device's people: list it, hand it out, or delete it.", no_args_is_help=True
)

Device = Annotated[str, typer.Option("--device", help="Id of the device.")]
File = Annotated[Path | None, typer.Option("--config", help="Settings file (TOML); by default ./lumi.toml.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where the server keeps it (LUMI_DATA_DIR).")
]


@app.command("list")
def listed(*, file: File = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the devices of which something is kept, and how much."""
    from lumi.commands.data import listed as command

    terminal = console(as_json=as_json)
    run(terminal, lambda: command(terminal, file, data_dir))


@app.command()
def export(
    *,
    device: Device,
    out: Annotated[Path | None, typer.Option("--out", help="Write it to this new file.")] = None,
    file: File = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Hand out all that is kept of a device, as one JSON object."""
    from lumi.commands.data import DataOptions
    from lumi.commands.data import export as command

    terminal = console(as_json=as_json)
    run(terminal, lambda: command(terminal, DataOptions(device, file, data_dir), out))


@app.command()
def delete(
    *,
    device: Device,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    file: File = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Delete all that is kept of a device, for good."""
    from lumi.commands.data import DataOptions
    from lumi.commands.data import delete as command

    terminal = console(as_json=as_json)
    run(terminal, lambda: command(terminal, DataOptions(device, file, data_dir), yes=yes))
