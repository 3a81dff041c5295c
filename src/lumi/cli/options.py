"""Options that several commands take, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lumi.commands.console import Console, language_of

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="Address of the server (ws://host:port/), or 'auto': the one in the local network. "
        "None: the one running here, or a new one.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, nothing else there.")]
Token = Annotated[
    str | None, typer.Option("--token", envvar="LUMI_TOKEN", help="What the server wants to see.")
]
Ca = Annotated[
    Path | None,
    typer.Option(
        "--ca",
        envvar="LUMI_CA",
        help="Certificate (PEM) of the authority to trust, for wss://. None: the system's, and this machine's server's.",
    ),
]
SpokenLanguage = Annotated[str | None, typer.Option("--language", help="What is spoken: zh or en.")]


def console(*, as_json: bool = False) -> Console:
    return Console(language_of(), as_json)


def spoken(value: str | None) -> Any:
    if value not in {None, "zh", "en"}:
        raise typer.BadParameter(f"{value!r} is not known; accepted: zh, en", param_hint="--language")
    return value
