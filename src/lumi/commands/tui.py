"""`lumi tui`: the terminal app, on a server named, found or started."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from msgspec import structs

from lumi.client.client import DEFAULT_FEATURES, Client, connect
from lumi.client.error_handler import Language
from lumi.client.state_machine import StateMachine
from lumi.commands.console import Console
from lumi.commands.local_server import server_url
from lumi.commands.running import DONE, load_extra
from lumi.commands.say import device_speaking
from lumi.tui.model import Model

FEATURES = structs.replace(DEFAULT_FEATURES, stream=True, partials=True)
"""Answers as they are made, and what is being recognised as it is heard."""


@dataclass(frozen=True, slots=True)
class TuiOptions:
    """The command's arguments."""

    url: str | None = None
    language: Language | None = None
    token: str | None = None


async def tui(console: Console, options: TuiOptions) -> int:
    """Show the app until the user leaves; it connects, and connects again, by itself."""
    app = load_extra("lumi.tui.app", extra="tui", command="lumi tui")
    device = device_speaking(options.language)
    async with server_url(options.url, console) as url:

        def dial(machine: StateMachine) -> AbstractAsyncContextManager[Client]:
            return connect(url, token=options.token, device_info=device, features=FEATURES, machine=machine)

        await app.run(dial, Model(options.language or console.language, address=url))
    return DONE
