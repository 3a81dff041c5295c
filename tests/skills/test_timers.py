"""Rings exactly when due, at least once, and tells nobody twice what was heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from lumi.errors import LumiError, StoreError
from lumi.skills.timers import (
    MAX_PER_OWNER,
    PUSH,
    RECHECK_S,
    RING_LIMIT_S,
    STORE_RETRY_S,
    TimerService,
    TooManyTimers,
)
from lumi.store.base import Timer, TimerStore
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock


class Bell:
    """Notes when which timer rang; `deaf` devices hear nothing."""

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self.rung: list[tuple[float, str, str]] = []
        self.deaf: set[str] = set()
        self.tries = 0
        self.error: Exception | None = None
        self.takes_s = 0.0

    async def __call__(self, timer: Timer, text: str) -> bool:
        self.tries += 1
        if self.takes_s:
            await asyncio.sleep(self.takes_s)
        if self.error:
            raise self.error
        if timer.owner in self.deaf:
            return False
        self.rung.append((self._clock(), timer.owner, text))
        return True


class Brittle:
    """A timer store that fails when told to."""

    def __init__(self, store: TimerStore) -> None:
        self._store = store
        self.broken: set[str] = set()

    def _check(self, name: str) -> None:
        if name in self.broken:
            raise StoreError("the disk is full")

    async def add(self, timer: Timer) -> None:
        await self._store.add(timer)

    async def remove(self, owner: str, timer_id: str) -> bool:
        self._check("remove")
        return await self._store.remove(owner, timer_id)

    async def of(self, owner: str) -> Sequence[Timer]:
        return await self._store.of(owner)

    async def due(self, before: float, limit: int = 100, kind: str = "") -> Sequence[Timer]:
        self._check("due")
        return await self._store.due(before, limit, kind)


@pytest.fixture
def bell(wall_clock: WallClock) -> Bell:
    return Bell(wall_clock)


@pytest.fixture
def store() -> Brittle:
    return Brittle(MemoryStore().timers)


@pytest.fixture
def service(store: Brittle, wall_clock: WallClock, bell: Bell) -> TimerService:
    return TimerService(store, wall_clock, bell)


@asynccontextmanager
async def running(service: TimerService) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(service.run())
        try:
            yield
        finally:
            task.cancel()


async def add(
    service: TimerService, clock: WallClock, seconds: float, owner: str = "a", label: str = ""
) -> Timer:
    return await service.add(owner, clock() + seconds, kind="timer", label=label, duration_s=seconds)


async def test_rings_once_when_due(service: TimerService, wall_clock: WallClock, bell: Bell) -> None:
    start = wall_clock()
    async with running(service):
        await add(service, wall_clock, 300)
        await asyncio.sleep(299.9)
        assert not bell.rung
        await asyncio.sleep(3600)
    ((at, owner, text),) = bell.rung
    assert at == pytest.approx(start + 300)
    assert (owner, text) == ("a", "Time's up: your timer for 5 minutes is done.")
    assert not await service.of("a")


async def test_a_sooner_timer_wakes_the_sleeper(
    service: TimerService, wall_clock: WallClock, bell: Bell
) -> None:
    start = wall_clock()
    async with running(service):
        await add(service, wall_clock, 20)
        await asyncio.sleep(1)
        await add(service, wall_clock, 2)
        await asyncio.sleep(30)
    assert [at - start for at, _, _ in bell.rung] == [pytest.approx(3), pytest.approx(20)]


async def test_many_at_once_ring_all(service: TimerService, wall_clock: WallClock, bell: Bell) -> None:
    for owner in range(300):
        await add(service, wall_clock, 5, owner=str(owner))
    async with running(service):
        await asyncio.sleep(6)
    assert sorted(owner for _, owner, _ in bell.rung) == sorted(map(str, range(300)))


async def test_a_cancelled_timer_is_silent(service: TimerService, wall_clock: WallClock, bell: Bell) -> None:
    async with running(service):
        timer = await add(service, wall_clock, 5)
        assert await service.cancel(timer)
        assert not await service.cancel(timer)
        await asyncio.sleep(60)
    assert not bell.rung


async def test_an_unheard_timer_waits_for_its_device(
    service: TimerService, wall_clock: WallClock, bell: Bell
) -> None:
    bell.deaf.add("a")
    async with running(service):
        await add(service, wall_clock, 5, label="tea")
        await asyncio.sleep(2 * 3600)
        assert not bell.rung
        bell.deaf.clear()
        await service.offer("a")
        await asyncio.sleep(0.01)
        assert [text for _, _, text in bell.rung] == ["Your tea timer is done. It was due 2 hours ago."]
        await service.offer("a")
        await asyncio.sleep(3600)
    assert len(bell.rung) == 1


async def test_an_unheard_timer_is_tried_again_by_itself(
    service: TimerService, wall_clock: WallClock, bell: Bell
) -> None:
    bell.error = LumiError("no voice")
    async with running(service):
        await add(service, wall_clock, 5)
        await asyncio.sleep(10)
        assert bell.tries == 1
        bell.error = None
        await asyncio.sleep(RECHECK_S)
    assert len(bell.rung) == 1


async def test_the_unheard_do_not_hide_the_others(
    service: TimerService, wall_clock: WallClock, bell: Bell
) -> None:
    for number in range(250):
        owner = f"away{number}"
        bell.deaf.add(owner)
        await add(service, wall_clock, 1, owner=owner)
    await add(service, wall_clock, 2, owner="here")
    async with running(service):
        await asyncio.sleep(3)
    assert [owner for _, owner, _ in bell.rung] == ["here"]


async def test_a_device_that_comes_back_during_the_ring_is_not_forgotten(
    service: TimerService, wall_clock: WallClock, bell: Bell
) -> None:
    bell.takes_s = 1.0
    bell.deaf.add("a")
    async with running(service):
        await add(service, wall_clock, 5)
        await asyncio.sleep(5.5)
        await service.offer("a")
        await asyncio.sleep(0.6)
        bell.deaf.clear()
        await asyncio.sleep(1)
    assert len(bell.rung) == 1


async def test_a_ring_that_hangs_holds_up_nobody(
    service: TimerService, wall_clock: WallClock, bell: Bell
) -> None:
    start = wall_clock()
    bell.takes_s = 1e6
    async with running(service):
        await add(service, wall_clock, 1)
        await asyncio.sleep(1.5)
        bell.takes_s = 0.0
        await add(service, wall_clock, 1, owner="b")
        await asyncio.sleep(RING_LIMIT_S + RECHECK_S + 2)
    assert [(round(at - start, 1), owner) for at, owner, _ in bell.rung] == [
        (2.5, "b"),
        (1 + RING_LIMIT_S + RECHECK_S, "a"),
    ]


async def test_timers_of_a_former_process_ring_late_and_say_so(
    service: TimerService, wall_clock: WallClock, bell: Bell, store: Brittle
) -> None:
    due = wall_clock() - 180
    await store.add(Timer("1", "a", due, "reminder", "call my mum", "en", due))
    await store.add(Timer("2", "a", due, "reminder", "给我妈妈打电话", "zh", due))
    async with running(service):
        await asyncio.sleep(0.01)
    assert sorted(text for _, _, text in bell.rung) == [
        "Reminder: call your mum. It was due 3 minutes ago.",
        "提醒你：给你妈妈打电话。本来应该在3分钟前提醒你。",
    ]


async def test_a_jump_of_the_wall_clock_is_noticed(
    service: TimerService, wall_clock: WallClock, bell: Bell, store: Brittle
) -> None:
    ahead = 0.0
    jumping = TimerService(store, lambda: wall_clock() + ahead, bell)
    async with running(jumping):
        await add(jumping, wall_clock, 7200)
        await asyncio.sleep(60)
        ahead = 7200.0
        await asyncio.sleep(RECHECK_S)
    assert len(bell.rung) == 1


async def test_a_timer_of_another_node_is_found(
    service: TimerService, wall_clock: WallClock, bell: Bell, store: Brittle
) -> None:
    async with running(service):
        await asyncio.sleep(1)
        await store.add(Timer("1", "a", wall_clock() + 40, "timer", "", "en", 0, 40))
        await asyncio.sleep(45)
    assert len(bell.rung) == 1


async def test_a_store_that_stops_and_starts_loses_no_timer(
    service: TimerService, wall_clock: WallClock, bell: Bell, store: Brittle
) -> None:
    async with running(service):
        await add(service, wall_clock, 5)
        store.broken.add("due")
        await asyncio.sleep(60)
        assert not bell.rung
        store.broken.clear()
        await asyncio.sleep(STORE_RETRY_S + 0.1)
    assert len(bell.rung) == 1


async def test_a_timer_that_cannot_be_removed_does_not_ring_twice(
    service: TimerService, wall_clock: WallClock, bell: Bell, store: Brittle
) -> None:
    async with running(service):
        await add(service, wall_clock, 5)
        store.broken.add("remove")
        await asyncio.sleep(120)
        assert len(bell.rung) == 1
        assert not await service.of("a")
        store.broken.clear()
        await asyncio.sleep(RECHECK_S)
        assert not await store.of("a")
    assert len(bell.rung) == 1


async def test_snooze_and_silence_mean_the_one_that_rang_last(
    service: TimerService, wall_clock: WallClock, bell: Bell
) -> None:
    async with running(service):
        assert await service.snooze("a", 60) is None
        await add(service, wall_clock, 5, label="tea")
        await asyncio.sleep(6)
        last = service.last_rung("a")
        assert last
        assert last.label == "tea"
        again = await service.snooze("a", 60)
        assert again
        assert (again.label, again.duration_s) == ("tea", 60)
        assert service.last_rung("a") is None
        await asyncio.sleep(61)
        assert len(bell.rung) == 2
        assert service.silence("a") is not None
        assert service.silence("a") is None


async def test_what_rang_long_ago_is_not_snoozed(service: TimerService, wall_clock: WallClock) -> None:
    async with running(service):
        await add(service, wall_clock, 5)
        await asyncio.sleep(3600)
        assert await service.snooze("a", 60) is None


@pytest.mark.parametrize("seconds", [0, -5, 0.5, 400 * 86400])
async def test_refuses_what_is_too_soon_or_too_far(
    seconds: float, service: TimerService, wall_clock: WallClock
) -> None:
    with pytest.raises(ValueError, match="a timer must be due in"):
        await add(service, wall_clock, seconds)


async def test_an_owner_has_only_so_many(service: TimerService, wall_clock: WallClock) -> None:
    for _ in range(MAX_PER_OWNER):
        await add(service, wall_clock, 60)
    with pytest.raises(TooManyTimers, match="cancel one first"):
        await add(service, wall_clock, 60)
    await add(service, wall_clock, 60, owner="b")


async def push(service: TimerService, clock: WallClock, seconds: float = 0.0, owner: str = "a") -> Timer:
    return await service.add(owner, clock() + seconds, kind=PUSH, label="Dinner!")


async def test_pushes_have_room_of_their_own_and_may_be_due_now(
    service: TimerService, wall_clock: WallClock
) -> None:
    for _ in range(MAX_PER_OWNER):
        await push(service, wall_clock, 60)
    with pytest.raises(TooManyTimers):
        await push(service, wall_clock)
    await add(service, wall_clock, 60)
    await push(service, wall_clock, owner="b")
    with pytest.raises(ValueError, match="0 to"):
        await push(service, wall_clock, -1, owner="b")
    assert len(await service.all(PUSH, 100)) == MAX_PER_OWNER + 1
    assert len(await service.all(PUSH, 3)) == 3


async def test_whoever_asks_is_told_whether_the_first_try_was_heard(
    service: TimerService, wall_clock: WallClock, bell: Bell
) -> None:
    bell.deaf, bell.takes_s = {"b"}, 0.5
    began = wall_clock()
    async with running(service):
        assert await service.heard(await push(service, wall_clock), 3.0)
        assert not await service.heard(await push(service, wall_clock, owner="b"), 3.0)
        assert wall_clock() - began == pytest.approx(1.0)
        bell.takes_s = 5.0
        late = await push(service, wall_clock)
        assert not await service.heard(late, 3.0)
        assert wall_clock() - began == pytest.approx(4.0)
        assert await service.heard(late, 3.0)
        assert [timer.owner for timer in await service.all(PUSH, 100)] == ["b"]


class Slow(Brittle):
    """A store whose look at what is due takes a while to come back."""

    async def due(self, before: float, limit: int = 100, kind: str = "") -> Sequence[Timer]:
        found = await super().due(before, limit, kind)
        await asyncio.sleep(1)
        return found


async def test_a_slow_look_at_the_store_rings_nothing_twice_and_nothing_cancelled(
    wall_clock: WallClock, bell: Bell
) -> None:
    service = TimerService(Slow(MemoryStore().timers), wall_clock, bell)
    async with running(service):
        await add(service, wall_clock, 5, label="tea")
        cancelled = await add(service, wall_clock, 7, label="rice")
        await asyncio.sleep(5.5)
        await add(service, wall_clock, 60)
        bell.takes_s = 0.7
        await asyncio.sleep(2.3)
        await service.cancel(cancelled)
        await asyncio.sleep(30)
    assert [text for _, _, text in bell.rung] == ["Your tea timer is done."]


async def test_a_timer_that_could_not_be_cancelled_rings(
    service: TimerService, wall_clock: WallClock, bell: Bell, store: Brittle
) -> None:
    async with running(service):
        timer = await add(service, wall_clock, 5)
        store.broken.add("remove")
        with pytest.raises(StoreError):
            await service.cancel(timer)
        store.broken.clear()
        await asyncio.sleep(6)
    assert len(bell.rung) == 1
