"""Cuts at any byte of real sockets: within the upgrade, within a frame, with FIN and with RST."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lumi.bench.chaos.memory import BATCH, Progress, say, watch
from lumi.bench.chaos.record import Made, Outcome, Record, made_twice, remade
from lumi.client.client import connect
from lumi.client.reconnection import ReconnectPolicy
from lumi.config import Config
from lumi.config.serving import LimitSettings, LogSettings, ServerSettings
from lumi.server.background import Background
from lumi.server.server import Server
from lumi.store.memory import MemoryStore
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad
from lumi.testing.tcp_fault_proxy import ByteCut, TcpFaultProxy, random_byte_cut

AT_ONCE = ReconnectPolicy(first_s=0.02, cap_s=0.2, tries=None)
UP_BYTES, DOWN_BYTES = 2_500, 5_000
"""A connection passes on so many bytes of a direction, at most: from within the upgrade to some ten chats."""

ANSWER_S = 0.02
"""How long an answer takes to make."""

WINDOW_S = 6.0
"""How long a session may be resumed. Of one whose first hello was answered into a cut nobody knows."""

SETTLE_S = 3 * WINDOW_S
"""Within it everything is given back."""

CONFIG = Config(
    server=ServerSettings(port=0, drain_s=0.5),
    limits=LimitSettings(resume_s=WINDOW_S),
    log=LogSettings(file=False, level="error"),
)


@dataclass(frozen=True, slots=True)
class SocketPlan:
    """What is thrown at the clients."""

    cuts: int = 1_000
    seed: int = 1
    clients: int = 4


@dataclass(slots=True)
class Ledger:
    """What one server made. Every making of an answer gives another text."""

    made: list[Made] = field(default_factory=list)

    def answer(self, text: str) -> Sequence[str | float]:
        """Noted when it begins."""
        self.made.append(Made(1, text))
        return [ANSWER_S / 2, f"{text} answered, ", ANSWER_S / 2, uuid.uuid4().hex]


@asynccontextmanager
async def serving(ledger: Ledger) -> AsyncIterator[Server]:
    """A real server on a free port, with scripted engines."""
    async with Server(
        CONFIG,
        vad=ScriptedVad(),
        stt=ScriptedStt(),
        llm=ScriptedLlm(ledger.answer),
        tts=ScriptedTts(),
        store=MemoryStore(),
    ) as server:
        await server.wait_ready()
        yield server


class SocketCampaign:
    """Some clients in conversation through a proxy that breaks, until there were enough cuts."""

    def __init__(self, plan: SocketPlan, progress: Progress) -> None:
        self._plan = plan
        self._progress = progress
        self._chance = random.Random(plan.seed)  # noqa: S311 - repeatable, not secret
        self._records: dict[str, Record] = {}

    async def run(self) -> Outcome:
        """The whole campaign, in real time."""
        began, ledger, problems = time.monotonic(), Ledger(), []
        tasks_before, sockets_before = asyncio.all_tasks(), open_sockets()
        async with serving(ledger) as server, TcpFaultProxy("127.0.0.1", server.port) as proxy:
            proxy.plan = lambda _number: self._cut(proxy)
            async with asyncio.TaskGroup() as tasks:
                for number in range(self._plan.clients):
                    tasks.create_task(self._converse(f"device-{number}", proxy))
            problems += [f"left over: {what}" for what in await settled(server)]
        problems += await self._left_over(tasks_before, sockets_before)
        for device, record in self._records.items():
            problems += [f"{device}: {problem}" for problem in record.problems()]
        return Outcome(
            name="cuts of sockets",
            seed=self._plan.seed,
            faults=proxy.cuts,
            restarts=0,
            chats=sum(len(record.asked) for record in self._records.values()),
            answers_made=len(ledger.made),
            remade=remade(ledger.made),
            seconds=time.monotonic() - began,
            problems=problems + made_twice(ledger.made),
        )

    async def _converse(self, device: str, proxy: TcpFaultProxy) -> None:
        record = self._records[device] = Record()
        async with (
            connect(proxy.url, device_id=device, reconnect=AT_ONCE, wait_ready=False) as client,
            Background() as tasks,
        ):
            watching = tasks.start("watch", watch(client, record))
            await asyncio.sleep(0)
            while proxy.cuts < self._plan.cuts:
                await say(client, record, device, self._chance.randint(1, BATCH))
                self._progress(proxy.cuts)
            await say(client, record, device, 1)  # on a line that lasts, or will
            await client.close()
            await watching

    def _cut(self, proxy: TcpFaultProxy) -> ByteCut | None:
        if proxy.cuts >= self._plan.cuts:
            return None
        return random_byte_cut(self._chance, up_bytes=UP_BYTES, down_bytes=DOWN_BYTES)

    async def _left_over(self, tasks: set[asyncio.Task[object]], sockets: int) -> list[str]:
        await asyncio.sleep(0.1)
        found = [f"left over: task {task.get_name()}" for task in asyncio.all_tasks() - tasks]
        more = open_sockets() - sockets
        return found + ([f"left over: {more} open sockets"] if more > 0 else [])


async def settled(server: Server) -> list[str]:
    """Wait until goodbyes have taken effect and the window is over; what is still there after `SETTLE_S`."""
    for _ in range(round(SETTLE_S / 0.05)):
        if not len(server.sessions) and not len(server.gateway):
            return []
        await asyncio.sleep(0.05)
    return [f"{len(server.sessions)} sessions, {len(server.gateway)} links"]


def open_sockets() -> int:
    """Of this process; 0 where the system does not tell."""
    listing = Path("/proc/self/fd")
    found = 0
    for name in os.listdir(listing) if listing.is_dir() else []:  # noqa: PTH208 - names are enough
        with contextlib.suppress(OSError):  # it is closed meanwhile
            found += os.readlink(listing / name).startswith("socket:")  # noqa: PTH115 - no path of this world
    return found
