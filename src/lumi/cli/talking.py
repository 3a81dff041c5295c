"""The commands that converse with a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumi.cli.options import Ca, Json, SpokenLanguage, Token, Url, console, spoken
from lumi.commands.running import run

app = typer.Typer()


@app.command()
def chat(
    *,
    once: Annotated[str | None, typer.Option("--once", help="Ask this, print the answer, leave.")] = None,
    url: Url = None,
    token: Token = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Converse in text."""
    from lumi.commands.chat import ChatOptions
    from lumi.commands.chat import chat as command

    terminal = console(as_json=as_json)
    run(terminal, lambda: command(terminal, ChatOptions(once, url, token, ca)))


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
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Speak a recording to the server and hear what it answers."""
    from lumi.commands.say import SayOptions
    from lumi.commands.say import say as command

    terminal = console(as_json=as_json)
    options = SayOptions(wav, out, url, spoken(language), token, ca)
    run(terminal, lambda: command(terminal, options))


@app.command()
def talk(
    *,
    hands_free: Annotated[
        bool, typer.Option("--hands-free", help="No key: the server hears when you have finished.")
    ] = False,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Hands-free, and you may interrupt: wear headphones.")
    ] = False,
    wake: Annotated[
        str, typer.Option("--wake", help="Wait for this wake word, e.g. 'okay nabu'; commas between several.")
    ] = "",
    wake_url: Annotated[
        str, typer.Option("--wake-url", help="A Wyoming server listens for it: tcp://HOST:PORT.")
    ] = "",
    url: Url = None,
    language: SpokenLanguage = None,
    token: Token = None,
    ca: Ca = None,
) -> None:
    """Converse with microphone and loudspeaker. Enter starts and ends your turn, unless hands-free."""
    from lumi.commands.talk import Style, TalkOptions
    from lumi.commands.talk import talk as command

    terminal = console()
    style = Style.REALTIME if realtime else Style.HANDS_FREE if hands_free else Style.HOLD
    if wake or wake_url:
        style = Style.WAKE
    options = TalkOptions(style, url, spoken(language), token, ca, wake, wake_url)
    run(terminal, lambda: command(terminal, options))


@app.command()
def tui(*, url: Url = None, language: SpokenLanguage = None, token: Token = None, ca: Ca = None) -> None:
    """Converse in a full screen: text and voice, with what the connection does."""
    from lumi.commands.tui import TuiOptions
    from lumi.commands.tui import tui as command

    terminal = console()
    run(terminal, lambda: command(terminal, TuiOptions(url, spoken(language), token, ca)))


@app.command()
def find(
    *,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=60, help="How long to look.")] = 2.0,
    interface: Annotated[
        list[str] | None,
        typer.Option("--interface", help="Address of this machine: look in its network only."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the servers that announce themselves in the local network."""
    from lumi.commands.find import FindOptions
    from lumi.commands.find import find as command

    terminal = console(as_json=as_json)
    options = FindOptions(seconds, tuple(interface) if interface else None)
    run(terminal, lambda: command(terminal, options))
