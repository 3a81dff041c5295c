"""What every store must do so that a session can be taken up again: the part of `stores.StoreConformance` about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

from lumi.errors import StoreError
from lumi.store.base import Answer, DialogueEntry, SessionRecord, Store, StoredEvent

SESSION = SessionRecord("s1", "alice", 1_000.0, 1_000.0, 0, 1, b"\x00state\xff")
ANSWER = Answer("alice", "chat-1", "digest", b"\x00payload\xff", 1_000.0)


def event(seq: int, session_id: str = "s1") -> StoredEvent:
    return StoredEvent(session_id, seq, b"\x00event %d\xff" % seq, 1_000.0 + seq)


async def refusal(work: Awaitable[object]) -> str:
    """What a store says that will not do this."""
    try:
        await work
    except StoreError as error:
        return str(error)
    raise AssertionError("the store should have raised StoreError")


async def numbers(store: Store, session_id: str = "s1", after: int = 0) -> list[int]:
    return [event.seq for event in await store.events.after(session_id, after)]


class SessionConformance:
    """Sessions, and what goes and stays with them."""

    durable = False

    def open_store(self, place: Path) -> AbstractAsyncContextManager[Store]:
        raise NotImplementedError

    # ── sessions ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def test_a_session_is_found_again_by_its_owner_alone(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            record = replace(SESSION, acknowledged=3, next_seq=7, seen_at=1_234.5)
            await store.sessions.save(record)
            assert await store.sessions.load("alice", "s1") == record
            assert await store.sessions.load("bob", "s1") is None
            assert await store.sessions.load("alice", "s2") is None

    async def test_a_session_cannot_be_taken_over(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            taken = replace(SESSION, owner="bob", acknowledged=5, next_seq=6, state=b"bob's")
            assert "another owner" in await refusal(store.sessions.save(taken))
            assert await store.sessions.load("alice", "s1") == SESSION
            assert await store.sessions.load("bob", "s1") is None

    async def test_saving_again_brings_up_to_date_and_turns_no_counter_back(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(replace(SESSION, acknowledged=2, next_seq=5))
            await store.events.append(event(5))
            await store.sessions.save(
                replace(
                    SESSION, created_at=9_999.0, seen_at=1_100.0, acknowledged=1, next_seq=5, state=b"new"
                )
            )
            kept = replace(SESSION, seen_at=1_100.0, acknowledged=2, next_seq=6, state=b"new")
            assert await store.sessions.load("alice", "s1") == kept
            assert await numbers(store) == [5]
            await store.sessions.save(replace(kept, acknowledged=5, next_seq=8))
            assert await store.sessions.load("alice", "s1") == replace(kept, acknowledged=5, next_seq=8)
            assert await numbers(store) == []

    async def test_touching_moves_the_time_alone(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            assert await store.sessions.touch("s1", 1_500.0)
            assert await store.sessions.load("alice", "s1") == replace(SESSION, seen_at=1_500.0)
            assert not await store.sessions.touch("s2", 1_500.0)
            assert await store.sessions.load("alice", "s2") is None

    async def test_sessions_expire_longest_unseen_first(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for name, seen_at in (("a", 30.0), ("b", 10.0), ("c", 20.0), ("d", 40.0)):
                await store.sessions.save(replace(SESSION, id=name, owner=name, seen_at=seen_at))
            assert list(await store.sessions.expired(40.0)) == ["b", "c", "a"]
            assert list(await store.sessions.expired(40.0, limit=2)) == ["b", "c"]
            assert not await store.sessions.expired(10.0)

    async def test_a_deleted_session_takes_its_events_and_its_dialogue_with_it(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for name in ("s1", "s2"):
                await store.sessions.save(replace(SESSION, id=name))
                await store.events.append(event(1, name))
                await store.dialogues.append(name, [DialogueEntry("user", name, 1.0)])
            await store.answers.put(ANSWER)
            assert await store.sessions.delete("s1")
            assert not await store.sessions.delete("s1")
            assert await store.sessions.load("alice", "s1") is None
            assert await numbers(store, "s1") == []
            assert not await store.dialogues.load("s1")
            assert await numbers(store, "s2") == [1]
            assert len(await store.dialogues.load("s2")) == 1
            assert await store.answers.get("alice", "chat-1") == ANSWER

    async def test_deleting_what_was_never_saved_drops_its_dialogue(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.dialogues.append("s1", [DialogueEntry("user", "hello", 1.0)])
            assert not await store.sessions.delete("s1")
            assert not await store.dialogues.load("s1")

    async def test_a_session_seen_since_it_expired_is_left_alone(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            await store.events.append(event(1))
            await store.dialogues.append("s1", [DialogueEntry("user", "hello", 1.0)])
            assert list(await store.sessions.expired(1_600.0)) == ["s1"]
            await store.sessions.touch("s1", 1_600.0)  # the client is back
            assert not await store.sessions.delete("s1", seen_before=1_600.0)
            assert await numbers(store) == [1]
            assert len(await store.dialogues.load("s1")) == 1
            assert await store.sessions.delete("s1", seen_before=1_600.1)
            assert not await store.dialogues.load("s1")

    async def test_of_many_who_delete_a_session_exactly_one_is_told_so(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            async with asyncio.TaskGroup() as group:
                tries = [group.create_task(store.sessions.delete("s1")) for _ in range(20)]
            assert sorted(task.result() for task in tries) == [False] * 19 + [True]

    # ── the whole ────────────────────────────────────────────────────────────────────────────────────────────────

    async def test_a_session_outlives_a_closing_where_the_store_is_durable(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            for seq in (1, 2, 3):
                await store.events.append(event(seq))
            await store.events.acknowledge("s1", 1)
            await store.commit(answer=ANSWER, event=event(4))
        if not self.durable:
            return
        async with self.open_store(tmp_path) as store:
            assert await store.sessions.load("alice", "s1") == replace(SESSION, acknowledged=1, next_seq=5)
            assert list(await store.events.after("s1", 1)) == [event(seq) for seq in (2, 3, 4)]
            assert await store.answers.get("alice", "chat-1") == ANSWER

    async def test_a_closed_store_keeps_no_session(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            await store.aclose()
            for work in (
                store.sessions.save(SESSION),
                store.sessions.load("alice", "s1"),
                store.sessions.touch("s1", 1.0),
                store.sessions.delete("s1"),
                store.sessions.expired(1.0),
                store.events.append(event(1)),
                store.events.after("s1", 0),
                store.events.acknowledge("s1", 1),
                store.events.count("s1"),
                store.events.forget("s1"),
                store.dialogues.forget_before(1.0),
                store.commit(answer=ANSWER),
            ):
                assert "closed" in await refusal(work)
