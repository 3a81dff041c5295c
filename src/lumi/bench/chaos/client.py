"""The client that is killed, a process of its own: `python -m lumi.bench.chaos.client URL FOLDER chat|finish`.

An application as one would write it: it notes what it asks before it asks, keeps what it was answered by the chat's id,
and on starting asks again, with the same ids, for what it was not answered. `chat` then goes on with new chats until it
is killed; `finish` ends when everything is answered. It says `ready` on standard output when the server is there.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from lumi.bench.chaos.memory import BATCH
from lumi.bench.chaos.record import question
from lumi.bench.chaos.server import append
from lumi.client.client import Client, connect
from lumi.client.reconnection import ReconnectPolicy
from lumi.protocol.messages import Response
from lumi.server.background import Background

DEVICE = "killed-client"
ASKED, SHOWN, QUEUE = "asked.jsonl", "shown.jsonl", "queue"
AT_ONCE = ReconnectPolicy(first_s=0.02, cap_s=0.2, tries=None)


class Asked(msgspec.Struct, frozen=True):
    """A chat that is about to be said."""

    chat_id: str
    content: str
    pid: int
    """The process that asked first."""


class Shown(msgspec.Struct, frozen=True):
    """An answer among the client's events, and the process that saw it."""

    chat_id: str
    content: str
    pid: int


Line = type[Asked] | type[Shown]


def read_lines(path: Path, kind: Line) -> list[Asked | Shown]:
    """What the processes before us noted."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [msgspec.json.decode(line, type=kind) for line in lines]


async def show(client: Client, folder: Path, known: set[str]) -> None:
    """Note every answer as it comes."""
    with client.events() as events:
        async for event in events:
            if isinstance(event, Response) and event.is_final and event.id in known:
                append(folder / SHOWN, Shown(event.id, event.content, os.getpid()))


async def run(url: str, folder: Path, *, chatting: bool) -> None:
    """The application."""
    asked = {one.chat_id: one.content for one in read_lines(folder / ASKED, Asked)}
    answered = {one.chat_id for one in read_lines(folder / SHOWN, Shown)}
    known = set(asked)
    async with (
        connect(
            url, device_id=DEVICE, reconnect=AT_ONCE, queue_path=folder / QUEUE, wait_ready=False
        ) as client,
        Background() as tasks,
    ):
        tasks.start("show", show(client, folder, known))
        tasks.start("tell", tell(client))
        await ask(client, {one: text for one, text in asked.items() if one not in answered})
        while chatting:
            numbers = range(len(known), len(known) + BATCH)
            batch = {f"{DEVICE}-{number}": question(DEVICE, number) for number in numbers}
            for one, text in batch.items():
                append(folder / ASKED, Asked(one, text, os.getpid()))
            known |= set(batch)
            await ask(client, batch)


async def ask(client: Client, chats: dict[str, str]) -> None:
    """All at once, in order."""
    async with asyncio.TaskGroup() as tasks:
        for one, text in chats.items():
            tasks.create_task(client.chat(text, chat_id=one))


async def tell(client: Client) -> None:
    """Say when the first line is there."""
    await client.ready()
    sys.stdout.write("ready\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), chatting=sys.argv[3] == "chat"))
