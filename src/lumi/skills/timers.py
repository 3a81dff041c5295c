"""Timers that ring: kept in the store, woken by the clock, offered again until somebody heard them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol
from uuid import uuid4

from lumi.errors import LumiError, StoreError
from lumi.skills.ring_words import ring_text
from lumi.skills.ringing import Ringing
from lumi.store.base import Timer, TimerStore

PUSH = "push"
"""The kind of what somebody sends to a device; it may be due at once."""
MAX_PER_OWNER = 25
"""Of what an owner sets, and as many pushes: neither takes the other's room."""
MIN_S = 1.0
MAX_S = 366 * 86400.0
RECHECK_S = 30.0
"""The wall clock may jump, and another node may add a timer: never sleep longer. An unheard timer waits as long."""
STORE_RETRY_S = 5.0
RING_LIMIT_S = 20.0
"""A ring that takes longer counts as not delivered."""
_BATCH = 100

Ring = Callable[[Timer, str], Awaitable[bool]]
"""Rings a timer with these words; True once somebody hears of it for certain. False, a `LumiError` or no return
within `RING_LIMIT_S`: nobody did, and it is offered again."""


class RingText(Protocol):
    """The words of a ring; `late_s` is how long ago it was due."""

    def __call__(self, timer: Timer, late_s: float) -> str: ...


class TooManyTimers(LumiError):
    """An owner has as many timers as one may have."""


class TimerService:
    """One task for all timers: `run()` sleeps until the soonest is due, and is woken by every change.

    A timer rings at least once: it leaves the store after its ring was delivered, so a process that dies in between
    rings it again. One that nobody heard stays; it is tried again every `RECHECK_S`, and at once when `offer(owner)`
    says that its device is back. Rings of different timers do not wait for each other.

    Args:
        store: where timers are kept.
        clock: UNIX seconds.
        ring: see `Ring`. On several nodes, only the one that has the owner's device returns True.
        text: the words of a ring.
    """

    def __init__(
        self, store: TimerStore, clock: Callable[[], float], ring: Ring, text: RingText = ring_text
    ) -> None:
        self._store = store
        self._clock = clock
        self._ring = ring
        self._text = text
        self._changed = asyncio.Event()
        self._tried = asyncio.Event()  # whoever waits for it gets this one; the next try has another
        self._ringing = Ringing()

    async def add(
        self,
        owner: str,
        due_at: float,
        *,
        kind: str,
        label: str = "",
        language: str = "en",
        duration_s: float = 0.0,
    ) -> Timer:
        """Keep a new timer and see to it that it rings.

        Raises:
            ValueError: it is due in less than `MIN_S` (a push: in the past) or more than `MAX_S`.
            TooManyTimers: the owner has `MAX_PER_OWNER` already.
        """
        now = self._clock()
        soonest_s = 0.0 if kind == PUSH else MIN_S
        if not soonest_s <= round(due_at - now, 3) <= MAX_S:
            raise ValueError(
                f"a timer must be due in {soonest_s:g} to {MAX_S:g} seconds, not in {due_at - now:g}"
            )
        alike = [timer for timer in await self.of(owner) if (timer.kind == PUSH) == (kind == PUSH)]
        if len(alike) >= MAX_PER_OWNER:
            raise TooManyTimers(f"there are {MAX_PER_OWNER} timers already: cancel one first")
        timer = Timer(uuid4().hex, owner, due_at, kind, label, language, now, duration_s)
        await self._store.add(timer)
        self._changed.set()
        return timer

    async def of(self, owner: str) -> Sequence[Timer]:
        """The owner's timers that are still to ring, soonest first."""
        return [timer for timer in await self._store.of(owner) if timer.id not in self._ringing.done]

    async def all(self, kind: str, limit: int) -> Sequence[Timer]:
        """Of all owners, those of a kind that are still to ring, soonest first."""
        found = await self._store.due(math.inf, limit, kind)
        return [timer for timer in found if timer.id not in self._ringing.done]

    async def heard(self, timer: Timer, within_s: float) -> bool:
        """Whether somebody has heard a timer that is due; waits until it was tried once, or for so long."""
        try:
            async with asyncio.timeout(within_s):
                while not self._ringing.was_tried(timer.id):
                    await self._tried.wait()
        except TimeoutError:
            pass
        return timer.id not in {waiting.id for waiting in await self.of(timer.owner)}

    async def restore(self, timer: Timer) -> None:
        """A timer that has rung was not heard after all: it is kept again, and rings when its device is there."""
        await self._store.add(timer)
        self._ringing.restore(timer)
        self._changed.set()

    async def cancel(self, timer: Timer) -> bool:
        """Whether it was still there."""
        self._ringing.done.add(timer.id)
        try:
            gone = await self._store.remove(timer.owner, timer.id)
        except StoreError:
            self._ringing.done.discard(timer.id)
            raise
        self._changed.set()
        return gone

    def last_rung(self, owner: str, within_s: float = 600.0) -> Timer | None:
        """The timer that rang last, if that was not long ago and nobody silenced it."""
        rung = self._ringing.last(owner)
        return rung.timer if rung and self._clock() - rung.at <= within_s else None

    def silence(self, owner: str) -> Timer | None:
        """The owner has heard it: what rang last is done with."""
        timer = self.last_rung(owner)
        self._ringing.silence(owner)
        return timer

    async def snooze(self, owner: str, duration_s: float) -> Timer | None:
        """Let the timer that rang last ring again after `duration_s`; None if none rang within ten minutes.

        Raises: as `add`.
        """
        timer = self.last_rung(owner)
        if timer is None:
            return None
        due_at = self._clock() + duration_s
        again = await self.add(
            owner, due_at, kind=timer.kind, label=timer.label, language=timer.language, duration_s=duration_s
        )
        self._ringing.silence(owner)
        return again

    async def offer(self, owner: str) -> None:
        """The owner's device is there (again): ring at once what it missed."""
        self._ringing.offer(owner)
        self._changed.set()

    async def run(self) -> None:
        """Ring timers until cancelled. To be run once, as a task of the caller's TaskGroup."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                try:
                    pause_s = await self._ring_due(group)
                except StoreError:
                    # Whoever owns the store says so; timers wait until it is back
                    pause_s = STORE_RETRY_S
                try:
                    async with asyncio.timeout(pause_s):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    async def _ring_due(self, group: asyncio.TaskGroup) -> float:
        """Begin to ring what is due; seconds until the next look."""
        loop_now, now = asyncio.get_running_loop().time(), self._clock()
        limit = _BATCH + self._ringing.known
        ahead = await self._store.due(now + RECHECK_S, limit)
        self._ringing.keep_only(timer.id for timer in ahead)
        due = [timer for timer in ahead if timer.due_at <= now]
        for timer in self._ringing.ready(due, loop_now):
            self._ringing.begin(timer)
            group.create_task(self._ring_one(timer, now - timer.due_at))
        for timer in [timer for timer in due if timer.id in self._ringing.done]:
            await self._put_away(timer)
        pauses = [RECHECK_S, *(timer.due_at - self._clock() for timer in ahead if timer.due_at > now)]
        if (retry_at := self._ringing.next_retry()) is not None:
            pauses.append(retry_at - loop_now)
        return 0.0 if len(due) >= limit else max(min(pauses), 0.0)

    async def _ring_one(self, timer: Timer, late_s: float) -> None:
        if await self._delivered(timer, late_s):
            self._ringing.heard(timer, self._clock())
            self._note_try()
            await self._put_away(timer)
        else:
            self._ringing.unheard(timer, asyncio.get_running_loop().time() + RECHECK_S)
            self._changed.set()
            self._note_try()

    def _note_try(self) -> None:
        self._tried.set()
        self._tried = asyncio.Event()

    async def _delivered(self, timer: Timer, late_s: float) -> bool:
        try:
            async with asyncio.timeout(RING_LIMIT_S):
                return await self._ring(timer, self._text(timer, late_s))
        except (LumiError, TimeoutError):
            # Nobody heard it; whoever rings has logged why
            return False

    async def _put_away(self, timer: Timer) -> None:
        try:
            await self._store.remove(timer.owner, timer.id)
        except StoreError:
            # It stays marked as done, and is removed at the next look
            return
