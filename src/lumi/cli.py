"""The command `lumi`: reads the arguments, nothing else. What the commands do stands in `lumi.commands`.

Exit codes: 0 done, 1 something is not well, 2 wrong input or no server, 130 Ctrl-C.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lumi._version import __version__
from lumi.commands.console import Console, language_of
from lumi.commands.running import run

app = typer.Typer(
    name="lumi",
    help="Lumi: a real-time voice assistant you host yourself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Url = Annotated[
    str | None,
    typer.Option(
        "--url", help="Address of the server (ws://host:port/). None: the one running here, or a new one."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, nothing else there.")]
Token = Annotated[
    str | None, typer.Option("--token", envvar="LUMI_TOKEN", help="What the server wants to see.")
]
SpokenLanguage = Annotated[str | None, typer.Option("--language", help="What is spoken: zh or en.")]


def _console(*, as_json: bool = False) -> Console:
    return Console(language_of(), as_json)


def _language(value: str | None) -> Any:
    if value not in {None, "zh", "en"}:
        raise typer.BadParameter(f"{value!r} is not known; accepted: zh, en", param_hint="--language")
    return value


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


@app.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on (LUMI_HOST).")] = None,
    port: Annotated[str | None, typer.Option(help="Port to listen on, 0 for a free one (LUMI_PORT).")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where timers, answers and logs are kept (LUMI_DATA_DIR).")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML); by default ./lumi.toml.")] = None,
    open_: Annotated[
        bool, typer.Option("--open", help="Let in whoever reaches the address, without a token.")
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
    }
    console = _console()
    run(console, lambda: command(config, flags))


@app.command()
def chat(
    *,
    once: Annotated[str | None, typer.Option("--once", help="Ask this, print the answer, leave.")] = None,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Converse in text."""
    from lumi.commands.chat import ChatOptions
    from lumi.commands.chat import chat as command

    console = _console(as_json=as_json)
    run(console, lambda: command(console, ChatOptions(once, url, token)))


@app.command()
def say(
    *,
    wav: Annotated[Path, typer.Option("--wav", help="What to say: a WAV file.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the spoken answer to this WAV file.")
    ] = None,
    url: Url = None,
    language: SpokenLanguage = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Speak a recording to the server and hear what it answers."""
    from lumi.commands.say import SayOptions
    from lumi.commands.say import say as command

    console = _console(as_json=as_json)
    options = SayOptions(wav, out, url, _language(language), token)
    run(console, lambda: command(console, options))


@app.command()
def talk(
    *,
    hands_free: Annotated[
        bool, typer.Option("--hands-free", help="No key: the server hears when you have finished.")
    ] = False,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Hands-free, and you may interrupt: wear headphones.")
    ] = False,
    url: Url = None,
    language: SpokenLanguage = None,
    token: Token = None,
) -> None:
    """Converse with microphone and loudspeaker. Enter starts and ends your turn, unless hands-free."""
    from lumi.commands.talk import Style, TalkOptions
    from lumi.commands.talk import talk as command

    console = _console()
    style = Style.REALTIME if realtime else Style.HANDS_FREE if hands_free else Style.HOLD
    options = TalkOptions(style, url, _language(language), token)
    run(console, lambda: command(console, options))


@app.command()
def tui(*, url: Url = None, language: SpokenLanguage = None, token: Token = None) -> None:
    """Converse in a full screen: text and voice, with what the connection does."""
    from lumi.commands.tui import TuiOptions
    from lumi.commands.tui import tui as command

    console = _console()
    run(console, lambda: command(console, TuiOptions(url, _language(language), token)))


@app.command()
def doctor(*, as_json: Json = False) -> None:
    """Find out what is missing on this machine, and what to do."""
    from lumi.commands.doctor import doctor as command

    console = _console(as_json=as_json)
    run(console, lambda: command(console))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def bench(context: typer.Context) -> None:
    """Measure how many devices in conversation this machine holds (lumi bench --help tells the options)."""
    from lumi.commands.bench import bench as command

    console = _console()
    raise typer.Exit(command(console, context.args))


def main() -> None:
    """Entry point of the command `lumi`."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows a mark instead; it is no reason to fail.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    app(prog_name="lumi")
