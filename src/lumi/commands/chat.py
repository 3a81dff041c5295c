"""`lumi chat`: a conversation in text, once or line by line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterable
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from lumi.client.broadcast import Subscription
from lumi.client.client import DEFAULT_FEATURES, Client, connect
from lumi.client.events import Event
from lumi.commands.console import Console
from lumi.commands.keyboard import Keyboard
from lumi.commands.local_server import server_url
from lumi.commands.running import DONE
from lumi.commands.trusted import authority
from lumi.errors import ConfigError, ServerError
from lumi.protocol.messages import Notify

FAREWELLS = frozenset({"/quit", "/exit", "/q"})


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """The command's arguments."""

    once: str | None = None
    url: str | None = None
    token: str | None = None
    ca: Path | None = None


async def chat(console: Console, options: ChatOptions, keyboard: AsyncIterable[str] | None = None) -> int:
    """Ask once, or converse until the input ends."""
    if options.once is not None and not options.once.strip():
        raise ConfigError("--once", "there is no text; give one, e.g. --once 'what time is it'")
    if console.as_json and options.once is None:
        raise ConfigError("--json", "needs --once TEXT: one question, one object")
    features = structs.replace(DEFAULT_FEATURES, stream=options.once is None)
    async with (
        server_url(options.url, console) as url,
        connect(
            url, token=options.token, ca=authority(url, options.ca), features=features, reconnect=None
        ) as client,
    ):
        if options.once is not None:
            await ask_once(console, client, options.once)
        else:
            lines = Keyboard() if keyboard is None else keyboard
            await converse(console, client, lines, prompt=sys.stdin.isatty())
    return DONE


async def ask_once(console: Console, client: Client, text: str) -> None:
    """One question, one answer."""
    clock = asyncio.get_running_loop().time
    asked_s = clock()
    reply = await client.chat(text)
    console.result(
        {
            "id": reply.id,
            "content": reply.content,
            "session_id": client.session_id,
            "ms": round((clock() - asked_s) * 1000, 1),
        }
    )
    console.write(reply.content)


async def converse(
    console: Console, client: Client, lines: AsyncIterable[str], *, prompt: bool = False
) -> None:
    """Line by line, the answers as they are made; timers ring in between. `prompt` shows whose turn it is."""

    def your_turn() -> None:
        if prompt:
            console.ask(zh="你：", en="You:  ")

    console.note(
        zh=f"已连接（会话 {client.session_id[:8]}）。输入文字后按回车；Ctrl-D 结束。",
        en=f"Connected (session {client.session_id[:8]}). Type and press Enter; Ctrl-D ends.",
    )
    async with asyncio.TaskGroup() as tasks:
        ringing = tasks.create_task(announce(console, client.events()))
        your_turn()
        async for line in lines:
            if line.strip() in FAREWELLS:
                break
            if line.strip():
                await answer(console, client, line.strip())
            your_turn()
        ringing.cancel()


async def answer(console: Console, client: Client, text: str) -> None:
    """Show one answer, piece by piece where the server streams. An error costs this answer only."""
    shown: list[str] = []

    def show(delta: str) -> None:
        console.write(("" if shown else "Lumi: ") + delta, newline=False)
        shown.append(delta)

    try:
        reply = await client.chat(text, on_delta=show)
    except ServerError as error:
        console.fail(error)
        return
    rest = reply.content.removeprefix("".join(shown))
    console.write(("" if shown else "Lumi: ") + rest)


async def announce(console: Console, events: Subscription[Event]) -> None:
    """Show what the server says unasked."""
    async for event in events:
        if isinstance(event, Notify):
            console.write(f"⏰ {event.text}")
