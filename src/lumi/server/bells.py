"""The built-in skills' timers, joined to the sessions: a timer rings as speech on its owner's device."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from lumi.server.late_llm import LateLlm
from lumi.server.log import Subject, logger
from lumi.skills.timers import TimerService
from lumi.store.base import Store, Timer

if TYPE_CHECKING:
    from lumi.skills.assistant import SkillsLlm

SKILLS = "skills"


def words(timer: Timer, late_s: float) -> str:
    """What a ring says; what it takes to say it is loaded with the first one."""
    from lumi.skills.ring_words import ring_text

    return ring_text(timer, late_s)


class Push(Protocol):
    """Says something on a device; False: there is none to hear it."""

    async def __call__(
        self, device_id: str, text: str, *, kind: str, notice_id: str, due_at: float
    ) -> bool: ...


class Bells:
    """Owns the `timers`. One whose device is away waits for it: `present` says that it is back.

    Args:
        store: where timers and lists are kept.
        wall_clock: UNIX seconds.
        push: how a ring gets to a device.
    """

    def __init__(self, store: Store, wall_clock: Callable[[], float], push: Push) -> None:
        self._store = store
        self._wall_clock = wall_clock
        self._push = push
        self.timers = TimerService(store.timers, wall_clock, self._ring, words)
        self._back: dict[str, None] = {}  # bounded by the devices that are here
        self._changed = asyncio.Event()

    def skills(self, rng: random.Random | None = None) -> LateLlm[SkillsLlm]:
        """The built-in answerer, which sets these timers; loads when it starts."""

        def make() -> SkillsLlm:
            from lumi.skills.assistant import SkillsLlm

            chance = rng or random.Random()  # noqa: S311 - coins, dice and jokes
            made = SkillsLlm(timers=self.timers, lists=self._store.lists, clock=self._wall_clock, rng=chance)
            made.warm_up()
            return made

        return LateLlm(SKILLS, make)

    def present(self, device_id: str) -> None:
        """A device can be spoken to: what it missed rings now."""
        self._back[device_id] = None
        self._changed.set()

    async def run(self) -> None:
        """Ring until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.timers.run(), name="timers")
            while True:
                await self._changed.wait()
                self._changed.clear()
                while self._back:
                    await self.timers.offer(self._back.popitem()[0])

    async def _ring(self, timer: Timer, text: str) -> bool:
        heard = await self._push(timer.owner, text, kind=timer.kind, notice_id=timer.id, due_at=timer.due_at)
        said = "timer rang" if heard else "timer waits for its device"
        logger(Subject.SESSION).info(said, device=timer.owner, timer=timer.id, kind=timer.kind)
        return heard
