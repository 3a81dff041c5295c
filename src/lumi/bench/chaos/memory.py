"""A thousand cuts in virtual time: real clients and a real server, scripted engines, lines of memory."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lumi.bench.chaos.house import House
from lumi.bench.chaos.record import Answered, Outcome, Record, made_twice, question, remade
from lumi.client.client import Client, connect
from lumi.client.reconnection import ReconnectPolicy
from lumi.protocol.messages import Notify, Response, Stt
from lumi.server.background import Background
from lumi.testing.fault_proxy import Cut, FaultProxy, random_cut

QUICK = ReconnectPolicy(first_s=0.1, cap_s=1.0, tries=None)
BATCH = 8
"""Chats in flight at a time, at most."""

FRAMES = 14
"""A line lives for so many frames of a direction, at most."""

SILENT_SHARE = 0.04
"""Of the cuts: nobody is told, and the client must find out. It takes some forty virtual seconds."""

DELAYS_S = (0.0, 0.05, 0.3, 0.3, 2.0)
"""How long an answer takes to make."""

AWAY_S = (0.0, 0.0, 0.5, 0.5, 5.0, 700.0)
"""How long there is no server when it is started anew: with the last, its sessions cannot be resumed any more."""

LATENCIES_S = (0.0, 0.005, 0.05)
"""Each line has one of them: with the last, what is said again crosses what comes."""

PATIENCE_S = 3600.0
"""A chat that takes longer has been lost."""

Progress = Callable[[int], object]
"""Told how many faults there were so far."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is thrown at the clients. `restarts`: of the server, spread over the campaign."""

    cuts: int = 1_000
    seed: int = 1
    clients: int = 4
    restarts: int = 40
    on_disk: Path | None = None
    """A folder for the clients' queues; None: they are kept in memory."""


async def watch(client: Client, record: Record) -> None:
    """Write down what comes, until the client is closed."""
    with client.events() as events:
        async for event in events:
            take(event, record)


def take(event: object, record: Record) -> None:
    """Write one event down."""
    if isinstance(event, Response) and event.is_final and event.id in record.asked:
        record.shown.append(Answered(event.id, event.content))
    if isinstance(event, Response | Stt | Notify) and isinstance(event.seq, int):
        record.events.append((event.session_id or "", event.seq))


async def say(client: Client, record: Record, device: str, count: int) -> None:
    """So many chats at once, and their answers."""
    first = len(record.asked)
    for number in range(first, first + count):
        record.asked[f"{device}-{number}"] = question(device, number)
    said = list(record.asked.items())[first:]
    async with asyncio.TaskGroup() as tasks:
        waiting = [
            tasks.create_task(client.chat(content, chat_id=chat_id, timeout_s=PATIENCE_S))
            for chat_id, content in said
        ]
    record.returned += [
        Answered(reply.id or "", reply.content) for reply in (one.result() for one in waiting)
    ]


class Campaign:
    """Some clients in conversation over lines that break, until there were enough cuts."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self._plan = plan
        self._progress = progress
        self._chance = random.Random(plan.seed)  # noqa: S311 - repeatable, not secret
        self._house = House(DELAYS_S, self._chance)
        self._cut_again = asyncio.Event()
        self._records: dict[str, Record] = {}

    @property
    def cuts(self) -> int:
        return sum(road.cuts for road in self._house.roads)

    async def run(self) -> Outcome:
        """The whole campaign, in a loop whose time is virtual."""
        began, loop = time.monotonic(), asyncio.get_running_loop()
        start_s, problems = loop.time(), []
        async with self._house.open():
            before = asyncio.all_tasks()
            async with asyncio.TaskGroup() as tasks:
                for number in range(self._plan.clients):
                    tasks.create_task(self._converse(f"device-{number}"))
                tasks.create_task(self._restart())
            problems += await self._house.leftovers()
            after = {task for task in asyncio.all_tasks() - before if not is_of_the_house(task)}
            problems += [f"left over: task {task.get_name()}" for task in after]
        for device, record in self._records.items():
            problems += [f"{device}: {problem}" for problem in record.problems()]
        made = self._house.made
        return Outcome(
            name="cuts in memory" + (" (queue on disk)" if self._plan.on_disk else ""),
            seed=self._plan.seed,
            faults=self.cuts,
            restarts=self._house.lives - 1,
            chats=sum(len(record.asked) for record in self._records.values()),
            answers_made=len(made),
            remade=remade(made),
            seconds=time.monotonic() - began,
            virtual_seconds=loop.time() - start_s,
            problems=problems + made_twice(made),
        )

    async def _converse(self, device: str) -> None:
        record = self._records[device] = Record()
        road = self._house.road()
        road.plan = lambda _number: self._cut(road)
        async with (
            connect(
                "ws://memory/",
                connector=road.connect,
                device_id=device,
                reconnect=QUICK,
                queue_path=self._plan.on_disk and self._plan.on_disk / device,
                wait_ready=False,
            ) as client,
            Background() as tasks,
        ):
            watching = tasks.start("watch", watch(client, record))
            while self.cuts < self._plan.cuts:
                await say(client, record, device, self._chance.randint(1, BATCH))
                self._progress(self.cuts)
                await asyncio.sleep(self._chance.choice([0.0, 0.2, 2.0]))
            await self._leave(client, road)
            await watching

    async def _leave(self, client: Client, road: FaultProxy) -> None:
        """Half of them say goodbye; of the others the server only learns that they are gone."""
        await client.ready()
        if self._chance.random() < 0.5:
            road.plan = lambda _number: None
            await asyncio.sleep(60)
        else:
            road.open_link = None
            road.cut_all()
        await client.close()

    def _cut(self, road: FaultProxy) -> Cut | None:
        """Asked for at every new link."""
        road.latency_s = self._chance.choice(LATENCIES_S)
        self._cut_again.set()
        if self.cuts >= self._plan.cuts:
            return None
        return random_cut(self._chance, frames=FRAMES, silent_share=SILENT_SHARE)

    async def _restart(self) -> None:
        """Spread over the campaign, as it goes."""
        for number in range(self._plan.restarts):
            await self._reached((number + 1) * self._plan.cuts / (self._plan.restarts + 1))
            await asyncio.sleep(self._chance.uniform(0.0, 0.9))
            await self._house.restart(self._chance.choice(AWAY_S))

    async def _reached(self, cuts: float) -> None:
        while self.cuts < cuts:
            self._cut_again.clear()
            await self._cut_again.wait()


def is_of_the_house(task: asyncio.Task[object]) -> bool:
    """Tasks of the server itself, begun anew with each of its lives."""
    return not task.get_name().startswith(
        ("client", "session", "chats", "served", "watch", "beside", "record")
    )
