"""`lumi tui`: the terminal app, on a server named, found or started."""

from __future__ import annotations

import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from msgspec import structs

from lumi.client.client import DEFAULT_FEATURES, Client, connect
from lumi.client.error_handler import Language
from lumi.commands.console import Console
from lumi.commands.local_server import server_url
from lumi.commands.running import DONE, load_extra
from lumi.commands.say import device_speaking
from lumi.commands.trusted import authority
from lumi.errors import ConfigError
from lumi.tui.model import Model

FEATURES = structs.replace(DEFAULT_FEATURES, stream=True, partials=True, played=True)
"""Answers as they are made, what is being recognised as it is heard; and the server is told what was played."""


@dataclass(frozen=True, slots=True)
class TuiOptions:
    """The command's arguments."""

    url: str | None = None
    language: Language | None = None
    token: str | None = None
    ca: Path | None = None


async def tui(
    console: Console, options: TuiOptions, terminal: tuple[TextIO, TextIO] = (sys.stdin, sys.stderr)
) -> int:
    """Show the app until the user leaves; it connects, and connects again, by itself.

    Args:
        console: in whose language the screen begins, unless the options say otherwise.
        options: the command's arguments.
        terminal: where textual reads and draws.

    Raises:
        ConfigError: textual is not installed, or there is no terminal.
    """
    app = load_extra("lumi.tui.app", extra="tui", command="lumi tui")
    if not (terminal[0].isatty() and terminal[1].isatty()):
        raise ConfigError("lumi tui", "needs a terminal to draw on; without one, use lumi chat")
    device = device_speaking(options.language)
    async with server_url(options.url, console) as url:

        def dial() -> AbstractAsyncContextManager[Client]:
            return connect(
                url,
                token=options.token,
                ca=authority(url, options.ca),
                device_info=device,
                features=FEATURES,
                wait_ready=False,
            )

        await app.run(dial, Model(options.language or console.language, address=url))
    return DONE
