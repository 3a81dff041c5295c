"""The built-in skills' timers, joined to the sessions: a timer rings as speech on its owner's device."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from lumi.errors import StoreError
from lumi.server.late_llm import LateLlm
from lumi.server.log import Subject, logger
from lumi.skills.timers import TimerService
from lumi.store.base import Store, Timer

if TYPE_CHECKING:
    from lumi.skills.assistant import SkillsLlm

SKILLS = "skills"
MOST_RUNG = 1000
"""Timers that have rung, whose session may still say that it could not say them; the oldest are forgotten first."""


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
        self._rung: OrderedDict[str, Timer] = OrderedDict()  # bounded by `MOST_RUNG`
        self._unsaid: list[Timer] = []  # bounded by what has rung
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

    def unsaid(self, timer_id: str) -> None:
        """What has rung was taken by its device's session, and not said: it waits again."""
        timer = self._rung.pop(timer_id, None)
        if timer is not None:
            self._unsaid.append(timer)
            self._changed.set()

    async def settle(self) -> None:
        """Put back into the store what was not said. At the latest when no session is there any more."""
        while self._unsaid:
            timer = self._unsaid.pop()
            try:
                await self.timers.restore(timer)
            except StoreError as error:
                logger(Subject.SESSION).warning("a timer is lost", timer=timer.id, error=str(error))
            else:
                logger(Subject.SESSION).info("timer was not heard", device=timer.owner, timer=timer.id)

    async def run(self) -> None:
        """Ring until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.timers.run(), name="timers")
            while True:
                await self._changed.wait()
                self._changed.clear()
                await self.settle()
                while self._back:
                    await self.timers.offer(self._back.popitem()[0])

    async def _ring(self, timer: Timer, text: str) -> bool:
        heard = await self._push(timer.owner, text, kind=timer.kind, notice_id=timer.id, due_at=timer.due_at)
        if heard:
            self._rung[timer.id] = timer
            if len(self._rung) > MOST_RUNG:
                self._rung.popitem(last=False)
        said = "timer rang" if heard else "timer waits for its device"
        logger(Subject.SESSION).info(said, device=timer.owner, timer=timer.id, kind=timer.kind)
        return heard
