from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lumi.engines.base import Speaker, ToolResult
from lumi.errors import StoreError, ToolError, ToolUnanswered
from lumi.store.base import Act
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.tools.once import UNKNOWN, Once

TURN = Speaker(device_id="lamp", session_id="s", turn_id="turn-1")


class Counter:
    """Something that is done."""

    def __init__(self, *results: ToolResult | Exception, wait_s: float = 0.0) -> None:
        self.results = list(results)
        self.wait_s = wait_s
        self.times = 0

    async def __call__(self) -> ToolResult:
        self.times += 1
        await asyncio.sleep(self.wait_s)
        result = self.results.pop(0) if self.results else ToolResult(f"done {self.times}")
        if isinstance(result, Exception):
            raise result
        return result


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def once_over(store: MemoryStore) -> Once:
    return Once(store.acts, WallClock())


async def test_the_same_is_not_done_twice_in_a_turn_also_after_a_restart(store: MemoryStore):
    act = Counter()
    assert await once_over(store).do(TURN, "t", "{}", act) == (ToolResult("done 1"), False)
    assert await once_over(store).do(TURN, "t", "{}", act) == (ToolResult("done 1"), True)
    assert act.times == 1


@pytest.mark.parametrize(
    ("speaker", "tool", "arguments"),
    [
        (Speaker(device_id="lamp", turn_id="turn-2"), "t", "{}"),
        (Speaker(device_id="other", turn_id="turn-1"), "t", "{}"),
        (TURN, "u", "{}"),
        (TURN, "t", '{"a":1}'),
    ],
)
async def test_another_act_is_another(store: MemoryStore, speaker: Speaker, tool: str, arguments: str):
    act, once = Counter(), once_over(store)
    await once.do(TURN, "t", "{}", act)
    await once.do(speaker, tool, arguments, act)
    assert act.times == 2


async def test_the_second_of_equal_calls_is_an_act_of_its_own_and_done_once_too(store: MemoryStore):
    act = Counter()
    for _ in range(2):
        once = once_over(store)
        assert (await once.do(TURN, "t", "{}", act))[0] == ToolResult("done 1")
        assert (await once.do(TURN, "t", "{}", act, nth=1))[0] == ToolResult("done 2")
    assert act.times == 2


async def test_without_a_turn_it_is_always_done(store: MemoryStore):
    act, once = Counter(), once_over(store)
    for _ in range(2):
        await once.do(Speaker(), "t", "{}", act)
    assert act.times == 2


async def test_two_at_the_same_time_do_it_once(store: MemoryStore):
    act, once = Counter(wait_s=5), once_over(store)
    results = await asyncio.gather(*(once.do(TURN, "t", "{}", act) for _ in range(5)))
    assert act.times == 1
    assert {result.text for result, _ in results} == {"done 1"}
    assert [again for _, again in results].count(False) == 1


@pytest.mark.parametrize("first", [ToolError("t", "away"), ToolResult("cannot", failed=True)])
async def test_what_was_not_done_may_be_tried_again(store: MemoryStore, first: ToolResult | Exception):
    act, once = Counter(first), once_over(store)
    if isinstance(first, Exception):
        with pytest.raises(ToolError):
            await once.do(TURN, "t", "{}", act)
    else:
        assert await once.do(TURN, "t", "{}", act) == (first, False)
    assert await once.do(TURN, "t", "{}", act) == (ToolResult("done 2"), False)


@pytest.mark.parametrize(
    "end", [TimeoutError(), ValueError("broke half way"), ToolUnanswered("t", "the device is gone")]
)
async def test_what_may_have_been_done_is_not_tried_again(store: MemoryStore, end: Exception):
    act, once = Counter(end), once_over(store)
    with pytest.raises(type(end)):
        await once.do(TURN, "t", "{}", act)
    assert await once.do(TURN, "t", "{}", act) == (UNKNOWN, True)
    assert act.times == 1


async def test_a_crash_between_begin_and_end(store: MemoryStore):
    act = Counter(wait_s=60)
    task = asyncio.create_task(once_over(store).do(TURN, "t", "{}", act))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait({task})
    assert await once_over(store).do(TURN, "t", "{}", act) == (UNKNOWN, True)
    assert act.times == 1


class FullDisk(MemoryStore):
    """Cannot keep anything (any more)."""

    def __init__(self, *, begins: bool) -> None:
        super().__init__()
        refused = _refuse
        if not begins:
            self.acts.begin = refused  # type: ignore[method-assign]
        self.acts.finish = refused  # type: ignore[method-assign]
        self.acts.drop = refused  # type: ignore[method-assign]


async def _refuse(act: Act) -> None:
    raise StoreError("the disk is full")


@pytest.mark.parametrize("begins", [True, False])
async def test_a_store_that_fails_stops_no_tool(begins: bool):
    once = once_over(FullDisk(begins=begins))
    act: Callable[[], Awaitable[ToolResult]] = Counter()
    assert await once.do(TURN, "t", "{}", act) == (ToolResult("done 1"), False)
    with pytest.raises(ToolError):
        await once.do(TURN, "u", "{}", Counter(ToolError("u", "away")))
