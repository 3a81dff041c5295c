"""The commands that run, examine and measure a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumi.cli.options import Json, console
from lumi.commands.running import run

app = typer.Typer()


@app.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on (LUMI_HOST).")] = None,
    port: Annotated[str | None, typer.Option(help="Port to listen on, 0 for a free one (LUMI_PORT).")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where timers, answers and logs are kept (LUMI_DATA_DIR).")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML); by default ./lumi.toml.")] = None,
    profile: Annotated[str | None, typer.Option(help="Profile of the settings file (LUMI_PROFILE).")] = None,
    open_: Annotated[
        bool, typer.Option("--open", help="Let in whoever reaches the address, without a token.")
    ] = False,
    lan: Annotated[
        bool,
        typer.Option(
            "--lan", help="For the household: reachable and found in the network, each device let in once."
        ),
    ] = False,
    log_level: Annotated[str | None, typer.Option(help="trace, debug, info, warning or error.")] = None,
) -> None:
    """Start the server."""
    from lumi.commands.serve import serve as command

    flags: dict[str, object] = {
        "server.host": host,
        "server.port": port,
        "server.data_dir": data_dir,
        "server.open": open_ or None,
        "log.level": log_level,
        "profile": profile,
    }
    terminal = console()
    run(terminal, lambda: command(config, flags, lan=lan))


@app.command()
def doctor(*, as_json: Json = False) -> None:
    """Find out what is missing on this machine, and what to do."""
    from lumi.commands.doctor import doctor as command

    terminal = console(as_json=as_json)
    run(terminal, lambda: command(terminal))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def bench(context: typer.Context) -> None:
    """Measure how many devices in conversation this machine holds (lumi bench --help tells the options)."""
    from lumi.commands.bench import bench as command

    terminal = console()
    raise typer.Exit(command(terminal, context.args))
