"""`kill -9` of a server process, and of a client process, in the middle of chats, again and again."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from lumi.bench.chaos import client as client_process
from lumi.bench.chaos.client import ASKED, DEVICE, QUEUE, SHOWN, Asked, Shown, read_lines
from lumi.bench.chaos.memory import BATCH, Progress, say, watch
from lumi.bench.chaos.record import Answered, Made, Outcome, Record, made_twice, remade, twice
from lumi.bench.chaos.server import LEDGER
from lumi.bench.chaos.sockets import AT_ONCE
from lumi.client.client import Client, connect
from lumi.client.offline_queue import OfflineQueue
from lumi.errors import LumiError
from lumi.server.background import Background

LIFE_S = (0.02, 0.4)
"""How long a process lives once it is ready."""

START_S = 30.0
FINISH_S = 60.0


class ChaosFailed(LumiError):
    """A process of the campaign did what it should not; what it said stands above."""


@dataclass(frozen=True, slots=True)
class KillPlan:
    """How often, and where the files go."""

    kills: int
    seed: int
    folder: Path


async def start(*arguments: str) -> tuple[Process, str]:
    """A Python process, and its first line: it is ready.

    Raises:
        ChaosFailed: it ended, or said nothing in time.
    """
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", *arguments, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
    except TimeoutError as error:
        await kill(process)
        raise ChaosFailed(f"{arguments[0]} was not ready within {START_S:g} s") from error
    if not line:
        raise ChaosFailed(f"{arguments[0]} ended too early (exit code {await process.wait()})")
    return process, line.decode().strip()


async def kill(process: Process) -> None:
    """SIGKILL, and wait until it is gone."""
    if process.returncode is None:
        process.kill()
    await process.wait()


class Mortal:
    """A server process whose successor takes its port and its files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = 0
        self._folder = folder
        self._process: Process | None = None

    async def start(self) -> None:
        self._process, port = await start("lumi.bench.chaos.server", str(self.port), str(self._folder))
        self.port = int(port)

    async def kill(self) -> None:
        if self._process is not None:
            await kill(self._process)

    def made(self) -> list[Made]:
        """What all its lives began to make."""
        path = self._folder / LEDGER
        lines = path.read_bytes().splitlines() if path.exists() else []
        return [msgspec.json.decode(line, type=Made) for line in lines]


@asynccontextmanager
async def mortal(folder: Path) -> AsyncIterator[Mortal]:
    """A server process, killed in the end."""
    server = Mortal(folder)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()


async def kill_servers(plan: KillPlan, progress: Progress) -> Outcome:
    """A client in conversation while its server is killed and started anew."""
    began, record, stop = time.monotonic(), Record(), asyncio.Event()
    chance = random.Random(plan.seed)  # noqa: S311 - repeatable, not secret
    async with mortal(plan.folder / "server") as server:
        url = f"ws://127.0.0.1:{server.port}/"
        async with (
            connect(url, device_id="me", reconnect=AT_ONCE, queue_path=plan.folder / QUEUE) as client,
            Background() as tasks,
        ):
            watching = tasks.start("watch", watch(client, record))
            talking = tasks.start("talk", _talk(client, record, stop, chance))
            for number in range(plan.kills):
                await asyncio.sleep(chance.uniform(*LIFE_S))
                await server.kill()
                await server.start()
                progress(number + 1)
            stop.set()
            await talking
            await client.close()
            await watching
        made = server.made()
    problems = record.problems() + made_twice(made) + await kept(plan.folder / QUEUE)
    return Outcome(
        name="server killed",
        seed=plan.seed,
        faults=plan.kills,
        restarts=plan.kills,
        chats=len(record.asked),
        answers_made=len(made),
        remade=remade(made),
        seconds=time.monotonic() - began,
        problems=problems,
    )


async def _talk(client: Client, record: Record, stop: asyncio.Event, chance: random.Random) -> None:
    while not stop.is_set():
        await say(client, record, "me", chance.randint(1, BATCH))


async def kill_clients(plan: KillPlan, progress: Progress) -> Outcome:
    """A client process killed and started anew, with its queue on disk, while the server stays."""
    began, folder = time.monotonic(), plan.folder
    chance = random.Random(plan.seed)  # noqa: S311 - repeatable, not secret
    async with mortal(folder / "server") as server:
        program = (client_process.__name__, f"ws://127.0.0.1:{server.port}/", str(folder))
        for number in range(plan.kills):
            process, _ = await start(*program, "chat")
            await asyncio.sleep(chance.uniform(*LIFE_S))
            await kill(process)
            progress(number + 1)
        process, _ = await start(*program, "finish")
        problems = await _finished(process)
        made = server.made()
    noted = [one for one in read_lines(folder / ASKED, Asked) if isinstance(one, Asked)]
    asked = {one.chat_id: one.content for one in noted}
    asked_by = {one.chat_id: one.pid for one in noted}
    shown = [one for one in read_lines(folder / SHOWN, Shown) if isinstance(one, Shown)]
    return Outcome(
        name="client killed",
        seed=plan.seed,
        faults=plan.kills,
        restarts=plan.kills,
        chats=len(asked),
        answers_made=len(made),
        remade=remade(made),
        seconds=time.monotonic() - began,
        problems=[
            *problems,
            *history_problems(asked, shown, asked_by),
            *made_twice(made),
            *await kept(folder / QUEUE),
        ],
    )


async def _finished(process: Process) -> list[str]:
    try:
        async with asyncio.timeout(FINISH_S):
            code = await process.wait()
    except TimeoutError:
        await kill(process)
        return [f"{DEVICE} had not all its answers within {FINISH_S:g} s"]
    return [f"{DEVICE} ended with exit code {code}"] if code else []


def history_problems(
    asked: dict[str, str], shown: Sequence[Shown], asked_by: Mapping[str, int] | None = None
) -> list[str]:
    """An application that was killed while it wrote an answer down may see it once more; then it is the same one, and
    it knows it by its id. No process sees one twice.

    What one process asked and saw answered is in the order of asking. A chat that was answered, but not yet written down
    when its process was killed, is asked again by the next one, after those that still waited in the queue.
    """
    asked_by = asked_by or {}
    seen_by = {one.chat_id: one.pid for one in reversed(shown)}
    history: dict[str, str] = {}
    problems = [
        f"{one} was shown {n} times to process {pid}"
        for (one, pid), n in twice((s.chat_id, s.pid) for s in shown)
    ]
    problems += [
        f"{one.chat_id} was answered in two ways"
        for one in shown
        if history.setdefault(one.chat_id, one.content) != one.content
    ]
    own = [one for one in history if asked_by.get(one, seen_by[one]) == seen_by[one]]
    if own == [one for one in asked if one in set(own)]:
        history = {one: history[one] for one in sorted(history, key=[*asked, *history].index)}
    answers = [Answered(chat_id, content) for chat_id, content in history.items()]
    return problems + Record(asked, answers, answers).problems()


async def kept(queue: Path) -> list[str]:
    """Messages that are still in a queue's file."""
    async with OfflineQueue(queue) as waiting:
        return [f"left over: {len(waiting)} messages in the queue's file"] if len(waiting) else []
