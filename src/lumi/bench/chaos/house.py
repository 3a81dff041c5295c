"""A server in memory that dies and comes back; its store, its clock and its ledger stay."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lumi.bench.chaos.record import Made
from lumi.server.background import Background
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts
from lumi.testing.fault_proxy import FaultProxy
from lumi.testing.rehearsal import Rehearsal

AFTER_THE_WINDOW_S = 20 * 60.0
"""Sessions may be resumed for ten minutes; what the store holds of them goes some minutes later."""


@dataclass(slots=True)
class House:
    """Used as `async with house.open()`; `restart` ends one server and begins the next.

    Args:
        delays_s: how long answers take to make: one of these.
        chance: which one.
    """

    delays_s: Sequence[float] = (0.3,)
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - repeatable, not secret
    store: MemoryStore = field(default_factory=MemoryStore)
    wall_clock: Callable[[], float] = field(default_factory=WallClock)
    made: list[Made] = field(default_factory=list)
    lives: int = 0
    roads: list[FaultProxy] = field(default_factory=list)
    """Ways in; while there is no server they lead nowhere."""
    rehearsal: Rehearsal | None = None
    stt: ScriptedStt = field(default_factory=lambda: ScriptedStt(["tell me a story"]))
    _die: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _away_s: float = 0.0
    _over: bool = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[House]:
        """Live until left."""
        async with Background() as tasks:
            living = tasks.start("house", self._live())
            await self._until(up=True)
            yield self
            self._over = True
            self._die.set()
            await living

    def road(self) -> FaultProxy:
        """A new way in, without faults yet."""
        assert self.rehearsal is not None
        road = FaultProxy(self.rehearsal.link)
        self.roads.append(road)
        return road

    async def restart(self, away_s: float = 0.0) -> None:
        """End this server: every line breaks, what is being answered is lost. The next begins after `away_s`."""
        self._away_s = away_s
        self._die.set()
        await self._until(up=False)
        await self._until(up=True)

    async def leftovers(self) -> list[str]:
        """What is still there long after everybody has gone. Takes `AFTER_THE_WINDOW_S`."""
        await asyncio.sleep(AFTER_THE_WINDOW_S)
        assert self.rehearsal is not None
        await self.store.answers.forget_before(self.wall_clock() + 1)
        return [f"left over: {name}: {what}" for name, what in holds(self.rehearsal, self.store) if what]

    async def _live(self) -> None:
        while not self._over:
            self.lives += 1
            self._die.clear()
            async with Rehearsal(
                llm=ScriptedLlm(self._answer),
                stt=self.stt,
                tts=ScriptedTts(ms_per_character=30),
                store=self.store,
                wall_clock=self.wall_clock,
            ) as rehearsal:
                await self._serve(rehearsal)
            await asyncio.sleep(self._away_s)

    async def _serve(self, rehearsal: Rehearsal) -> None:
        async with Background() as tasks:
            tasks.start("sweep", rehearsal.sessions.sweep())
            self._lead(rehearsal)
            await self._die.wait()
            self._lead(None)
            for road in self.roads:
                road.cut_all()

    def _lead(self, rehearsal: Rehearsal | None) -> None:
        self.rehearsal = rehearsal
        for road in self.roads:
            road.open_link = None if rehearsal is None else rehearsal.link
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _until(self, *, up: bool) -> None:
        while (self.rehearsal is not None) is not up:
            await self._changed.wait()

    def _answer(self, text: str) -> Sequence[str | float]:
        """Every making of an answer gives another text. It is noted when it begins."""
        self.made.append(Made(self.lives, text))
        delay_s = self.chance.choice(self.delays_s)
        return [delay_s / 2, f"{text} answered, ", delay_s / 2, f"the {len(self.made)}th. Yes."]


def holds(rehearsal: Rehearsal, store: MemoryStore) -> Sequence[tuple[str, object]]:
    """Everything of sessions and chats that a server and its store hold. Looks into them: no seam tells."""
    return [
        ("links", len(rehearsal.gateway)),
        ("sessions", len(rehearsal.sessions)),
        ("devices", list(rehearsal.sessions._by_device)),  # noqa: SLF001
        ("answers in the making", list(rehearsal.answers._making)),  # noqa: SLF001
        ("stored sessions", list(store.sessions._kept)),  # noqa: SLF001
        ("stored dialogues", list(store.dialogues._by_session)),  # noqa: SLF001
        ("stored answers", list(store.answers._by_key)),  # noqa: SLF001
    ]
