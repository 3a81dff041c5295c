"""What every store must do: one suite, run over any store.

    from lumi.testing.stores import StoreConformance

    class TestMine(StoreConformance):
        durable = True                       # what it holds outlives its being closed

        @asynccontextmanager
        async def open_store(self, place): ...   # yields a store; the same place finds the same records again

The methods are plain tests for pytest with asynchronous tests switched on; `place` is pytest's `tmp_path`.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from pathlib import Path

from lumi.store.base import DialogueEntry, Timer
from lumi.testing.act_stores import ActConformance
from lumi.testing.device_stores import DeviceConformance
from lumi.testing.event_stores import EventConformance
from lumi.testing.session_stores import ANSWER, SessionConformance, refusal

TIMER = Timer("t1", "alice", 1_060.0, "timer", "面条", "zh", 1_000.0, 60.0)


class StoreConformance(SessionConformance, EventConformance, DeviceConformance, ActConformance):
    """Subclass it and say how the store is opened."""

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def test_an_answer_is_found_again_by_its_owner_alone(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.answers.put(ANSWER)
            assert await store.answers.get("alice", "chat-1") == ANSWER
            assert await store.answers.get("bob", "chat-1") is None
            assert await store.answers.get("alice", "chat-2") is None
            await store.answers.put(replace(ANSWER, owner="bob", payload=b"bob's"))
            assert await store.answers.get("alice", "chat-1") == ANSWER

    async def test_the_first_answer_stays(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.answers.put(ANSWER)
            await store.answers.put(replace(ANSWER, payload=b"another", created_at=2_000.0))
            assert await store.answers.get("alice", "chat-1") == ANSWER

    async def test_old_answers_are_forgotten_and_counted(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for number in range(5):
                await store.answers.put(replace(ANSWER, chat_id=str(number), created_at=1_000.0 + number))
            assert await store.answers.forget_before(1_003.0) == 3
            assert await store.answers.get("alice", "2") is None
            assert await store.answers.get("alice", "3") is not None
            assert await store.answers.forget_before(1_003.0) == 0

    async def test_many_put_at_once_and_none_is_lost(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store, asyncio.TaskGroup() as group:
            for number in range(500):
                group.create_task(
                    store.answers.put(replace(ANSWER, chat_id=str(number), payload=b"%d" % number))
                )
        if self.durable:
            async with self.open_store(tmp_path) as store:
                found = [await store.answers.get("alice", str(number)) for number in range(500)]
                assert [answer.payload for answer in found if answer] == [
                    b"%d" % number for number in range(500)
                ]

    async def test_what_is_put_is_there_when_put_returns(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:

            async def put_and_get(number: int) -> None:
                await store.answers.put(replace(ANSWER, chat_id=str(number)))
                assert await store.answers.get("alice", str(number)) is not None

            async with asyncio.TaskGroup() as group:
                for number in range(50):
                    group.create_task(put_and_get(number))

    # ── timers ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def test_timers_come_soonest_first(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for name, owner, due_at in (("c", "alice", 30.0), ("a", "alice", 10.0), ("b", "bob", 20.0)):
                await store.timers.add(replace(TIMER, id=name, owner=owner, due_at=due_at))
            assert [timer.id for timer in await store.timers.of("alice")] == ["a", "c"]
            assert [timer.id for timer in await store.timers.due(100.0)] == ["a", "b", "c"]
            assert [timer.id for timer in await store.timers.due(20.0)] == ["a", "b"]
            assert [timer.id for timer in await store.timers.due(100.0, limit=1)] == ["a"]
            assert not await store.timers.due(9.9)

    async def test_timers_of_one_kind_are_found_however_far_ahead(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for name, kind, due_at in (("a", "push", 9e9), ("b", "timer", 10.0), ("c", "push", 20.0)):
                await store.timers.add(replace(TIMER, id=name, kind=kind, due_at=due_at))
            assert [timer.id for timer in await store.timers.due(math.inf, kind="push")] == ["c", "a"]
            assert [timer.id for timer in await store.timers.due(math.inf, 1, "push")] == ["c"]
            assert [timer.id for timer in await store.timers.due(20.0)] == ["b", "c"]
            assert not await store.timers.due(math.inf, kind="reminder")

    async def test_timers_due_at_once_come_in_the_order_of_their_setting(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.timers.add(replace(TIMER, id="a", created_at=2.0))
            await store.timers.add(replace(TIMER, id="b", created_at=1.0))
            assert [timer.id for timer in await store.timers.of("alice")] == ["b", "a"]

    async def test_a_timer_keeps_all_it_was_given(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.timers.add(TIMER)
            assert list(await store.timers.of("alice")) == [TIMER]
            assert not await store.timers.of("bob")

    async def test_a_timer_added_again_is_moved(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.timers.add(TIMER)
            await store.timers.add(replace(TIMER, due_at=2_000.0))
            assert list(await store.timers.of("alice")) == [replace(TIMER, due_at=2_000.0)]

    async def test_of_many_who_remove_a_timer_exactly_one_is_told_so(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.timers.add(TIMER)
            assert not await store.timers.remove("bob", "t1")
            async with asyncio.TaskGroup() as group:
                tries = [group.create_task(store.timers.remove("alice", "t1")) for _ in range(20)]
            assert sorted(task.result() for task in tries) == [False] * 19 + [True]
            assert not await store.timers.of("alice")

    # ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def test_lists_keep_their_order_their_owner_and_their_name(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for item in ("milk", "鸡蛋", "milk", "bread"):
                await store.lists.add("alice", "shopping", item)
            await store.lists.add("bob", "shopping", "beer")
            await store.lists.add("alice", "to do", "call mother")
            assert list(await store.lists.items("alice", "shopping")) == ["milk", "鸡蛋", "milk", "bread"]
            assert list(await store.lists.items("bob", "shopping")) == ["beer"]
            assert not await store.lists.items("carol", "shopping")

    async def test_removing_takes_the_first_of_its_kind_and_only_where_it_is(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for item in ("milk", "eggs", "milk"):
                await store.lists.add("alice", "shopping", item)
            assert await store.lists.remove("alice", "shopping", "milk")
            assert list(await store.lists.items("alice", "shopping")) == ["eggs", "milk"]
            assert not await store.lists.remove("alice", "shopping", "tea")
            assert not await store.lists.remove("bob", "shopping", "milk")

    async def test_clearing_counts_and_leaves_the_others(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for owner in ("alice", "alice", "bob"):
                await store.lists.add(owner, "shopping", "milk")
            assert await store.lists.clear("alice", "shopping") == 2
            assert await store.lists.clear("alice", "shopping") == 0
            assert list(await store.lists.items("bob", "shopping")) == ["milk"]

    async def test_lists_are_named_while_they_hold_something(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for name, item in (
                ("todo", "call mother"),
                ("礼物", "书"),
                ("todo", "water plants"),
                ("shopping", "milk"),
            ):
                await store.lists.add("alice", name, item)
            await store.lists.add("bob", "beer", "stout")
            assert list(await store.lists.names("alice")) == ["todo", "礼物", "shopping"]
            await store.lists.clear("alice", "todo")
            await store.lists.remove("alice", "礼物", "书")
            assert list(await store.lists.names("alice")) == ["shopping"]
            assert not await store.lists.names("carol")

    # ── dialogues ────────────────────────────────────────────────────────────────────────────────────────────────

    async def test_a_dialogue_comes_back_oldest_first_and_its_newest_part(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            entries = [DialogueEntry("user", f"第 {number}", 1_000.0 + number) for number in range(6)]
            await store.dialogues.append("s1", entries[:2])
            await store.dialogues.append("s1", [])
            await store.dialogues.append("s1", entries[2:])
            await store.dialogues.append("s2", [DialogueEntry("user", "another's words", 1_000.0)])
            assert list(await store.dialogues.load("s1")) == entries
            assert list(await store.dialogues.load("s1", limit=2)) == entries[4:]
            assert not await store.dialogues.load("s3")

    async def test_a_forgotten_dialogue_is_gone_alone(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for session_id in ("s1", "s2"):
                await store.dialogues.append(session_id, [DialogueEntry("user", session_id, 1.0)])
            await store.dialogues.forget("s1")
            assert not await store.dialogues.load("s1")
            assert [entry.content for entry in await store.dialogues.load("s2")] == ["s2"]

    async def test_old_words_are_forgotten_and_counted(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for session_id, times in (("s1", (1.0, 2.0, 3.0)), ("s2", (1.0, 2.0))):
                entries = [DialogueEntry("user", f"{session_id} at {time}", time) for time in times]
                await store.dialogues.append(session_id, entries)
            assert await store.dialogues.forget_before(3.0) == 4
            assert [entry.created_at for entry in await store.dialogues.load("s1")] == [3.0]
            assert not await store.dialogues.load("s2")
            assert await store.dialogues.forget_before(3.0) == 0

    async def test_an_endless_dialogue_stays_bounded(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for start in range(0, 1_500, 500):
                entries = [DialogueEntry("user", str(number), 1.0) for number in range(start, start + 500)]
                await store.dialogues.append("s1", entries)
            kept = await store.dialogues.load("s1", limit=10_000)
            assert (len(kept), kept[0].content, kept[-1].content) == (1_000, "500", "1499")

    # ── the whole ────────────────────────────────────────────────────────────────────────────────────────────────

    async def test_everything_outlives_a_closing_where_the_store_is_durable(self, tmp_path: Path) -> None:
        entry = DialogueEntry("assistant", "hello", 5.0)
        async with self.open_store(tmp_path) as store:
            await store.answers.put(ANSWER)
            await store.timers.add(TIMER)
            await store.lists.add("alice", "shopping", "milk")
            await store.dialogues.append("s1", [entry])
        if not self.durable:
            return
        async with self.open_store(tmp_path) as store:
            assert await store.answers.get("alice", "chat-1") == ANSWER
            assert list(await store.timers.of("alice")) == [TIMER]
            assert list(await store.lists.items("alice", "shopping")) == ["milk"]
            assert list(await store.dialogues.load("s1")) == [entry]

    async def test_a_closed_store_says_so(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.aclose()
            await store.aclose()
            assert "closed" in await refusal(store.answers.put(ANSWER))
            assert "closed" in await refusal(store.timers.due(1.0))
            assert "closed" in await refusal(store.lists.clear("alice", "shopping"))
            assert "closed" in await refusal(store.dialogues.load("s1"))
