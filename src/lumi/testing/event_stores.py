"""What every store must do with what a client must not miss: the part of `stores.StoreConformance` about events, and
about an answer that is stored with its event.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

from lumi.errors import StoreError
from lumi.store.base import EVENTS_KEPT, Store
from lumi.testing.session_stores import ANSWER, SESSION, event, numbers, refusal


class EventConformance:
    """Events, and `Store.commit`."""

    durable = False

    def open_store(self, place: Path) -> AbstractAsyncContextManager[Store]:
        raise NotImplementedError

    # ── events ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def test_events_come_back_in_order_and_whole(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for name in ("s1", "s2"):
                await store.sessions.save(replace(SESSION, id=name))
            for seq in range(1, 12):
                await store.events.append(event(seq))
            await store.events.append(event(1, "s2"))
            assert list(await store.events.after("s1", 0)) == [event(seq) for seq in range(1, 12)]
            assert await numbers(store, after=9) == [10, 11]
            assert await numbers(store, after=11) == []
            assert await numbers(store, "s3") == []
            assert [await store.events.count(name) for name in ("s1", "s2", "s3")] == [11, 1, 0]

    async def test_the_sessions_counter_grows_with_its_events(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            await store.events.append(event(1))
            await store.events.append(event(2))
            assert await store.sessions.load("alice", "s1") == replace(SESSION, next_seq=3)

    async def test_a_number_is_given_once_also_after_it_was_acknowledged(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            for seq in (1, 2):
                await store.events.append(event(seq))
            other = replace(event(2), payload=b"another")
            assert "from 3 on" in await refusal(store.events.append(other))
            assert list(await store.events.after("s1", 1)) == [event(2)]
            await store.events.acknowledge("s1", 2)
            assert "from 3 on" in await refusal(store.events.append(other))
            assert await numbers(store) == []
            await store.events.append(event(3))
            assert await numbers(store) == [3]

    async def test_of_many_who_give_the_same_number_exactly_one_may(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)

            async def append(number: int) -> bool:
                try:
                    await store.events.append(replace(event(1), payload=b"%d" % number))
                except StoreError:
                    return False
                return True

            async with asyncio.TaskGroup() as group:
                tries = [group.create_task(append(number)) for number in range(20)]
            told = [task.result() for task in tries]
            assert sorted(told) == [False] * 19 + [True]
            (kept,) = await store.events.after("s1", 0)
            assert kept.payload == b"%d" % told.index(True)

    async def test_no_event_without_a_session(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            assert "save it first" in await refusal(store.events.append(event(1)))
            await store.sessions.save(SESSION)
            await store.events.append(event(1))
            await store.sessions.delete("s1")
            assert "not kept" in await refusal(store.events.append(event(2)))
            assert await store.events.count("s1") == 0

    async def test_what_is_acknowledged_is_dropped_and_never_comes_back(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            for seq in range(1, 6):
                await store.events.append(event(seq))
            for seq, left, acknowledged in ((3, [4, 5], 3), (1, [4, 5], 3), (5, [], 5)):
                await store.events.acknowledge("s1", seq)
                assert await numbers(store) == left
                record = await store.sessions.load("alice", "s1")
                assert record == replace(SESSION, acknowledged=acknowledged, next_seq=6)
            await store.events.append(event(6))
            assert await numbers(store) == [6]
            await store.events.acknowledge("s2", 1)  # has expired in between: no mistake

    async def test_an_event_that_was_not_stored_may_be_acknowledged(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            await store.events.append(event(1))
            await store.events.acknowledge("s1", 3)
            assert await store.sessions.load("alice", "s1") == replace(SESSION, acknowledged=3, next_seq=4)
            assert "from 4 on" in await refusal(store.events.append(event(3)))
            await store.events.append(event(4))
            assert await numbers(store) == [4]

    async def test_a_number_may_be_left_out_and_later_not_made_up_for(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            await store.events.append(event(1))
            await store.events.append(event(3))
            assert "from 4 on" in await refusal(store.events.append(event(2)))
            assert await numbers(store) == [1, 3]

    async def test_a_session_saved_with_a_number_already_given_takes_its_event(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(replace(SESSION, next_seq=3))
            await store.events.append(event(1))
            await store.events.append(event(2))
            assert await store.sessions.load("alice", "s1") == replace(SESSION, next_seq=3)
            assert await numbers(store) == [1, 2]

    async def test_forgotten_events_count_as_acknowledged(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for name in ("s1", "s2"):
                await store.sessions.save(replace(SESSION, id=name))
                for seq in (1, 2):
                    await store.events.append(event(seq, name))
            await store.events.forget("s1")
            await store.events.forget("s3")
            assert await store.sessions.load("alice", "s1") == replace(SESSION, acknowledged=2, next_seq=3)
            assert (await numbers(store, "s1"), await numbers(store, "s2")) == ([], [1, 2])

    async def test_events_nobody_acknowledges_stay_bounded(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            async with asyncio.TaskGroup() as group:
                for seq in range(1, EVENTS_KEPT + 11):
                    group.create_task(store.events.append(event(seq)))
            assert await numbers(store) == list(range(11, EVENTS_KEPT + 11))
            kept = replace(SESSION, acknowledged=10, next_seq=EVENTS_KEPT + 11)
            assert await store.sessions.load("alice", "s1") == kept

    # ── an answer with its event ─────────────────────────────────────────────────────────────────────────────────

    async def test_an_answer_and_its_event_are_stored_together(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            assert await store.commit(answer=ANSWER, event=event(1))
            assert await store.answers.get("alice", "chat-1") == ANSWER
            assert list(await store.events.after("s1", 0)) == [event(1)]
            assert await store.commit(answer=replace(ANSWER, chat_id="chat-2"))
            assert await store.answers.get("alice", "chat-2") is not None
            assert await store.commit(event=event(2))
            assert await numbers(store) == [1, 2]
            assert await store.commit()

    async def test_a_chat_that_was_answered_gets_no_second_event(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.sessions.save(SESSION)
            assert await store.commit(answer=ANSWER, event=event(1))
            other = replace(ANSWER, payload=b"another")
            assert not await store.commit(answer=other, event=event(2))
            assert not await store.commit(answer=other)
            assert await store.answers.get("alice", "chat-1") == ANSWER
            assert await store.sessions.load("alice", "s1") == replace(SESSION, next_seq=2)
            assert await numbers(store) == [1]

    async def test_an_answer_whose_event_is_refused_is_not_stored(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            assert "not kept" in await refusal(store.commit(answer=ANSWER, event=event(1)))
            await store.sessions.save(replace(SESSION, acknowledged=1, next_seq=2))
            assert "from 2 on" in await refusal(store.commit(answer=ANSWER, event=event(1)))
            assert await store.answers.get("alice", "chat-1") is None
            assert await store.commit(answer=ANSWER, event=event(2))

    async def test_of_many_who_answer_a_chat_exactly_one_is_told_so(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for number in range(20):
                await store.sessions.save(replace(SESSION, id=str(number)))

            async def commit(number: int) -> bool:
                answer = replace(ANSWER, payload=b"%d" % number)
                return await store.commit(answer=answer, event=event(1, str(number)))

            async with asyncio.TaskGroup() as group:
                tries = [group.create_task(commit(number)) for number in range(20)]
            told = [task.result() for task in tries]
            assert sorted(told) == [False] * 19 + [True]
            answer = await store.answers.get("alice", "chat-1")
            assert answer is not None
            assert answer.payload == b"%d" % told.index(True)
            assert [await store.events.count(str(number)) for number in range(20)] == [
                int(one) for one in told
            ]

    # ── two servers at one store ─────────────────────────────────────────────────────────────────────────────────

    async def test_a_second_server_takes_a_session_up_and_the_first_notices(self, tmp_path: Path) -> None:
        if not self.durable:
            return
        async with self.open_store(tmp_path) as first, self.open_store(tmp_path) as second:
            await first.sessions.save(SESSION)
            for seq in (1, 2):
                await first.events.append(event(seq))
            assert await second.sessions.load("alice", "s1") == replace(SESSION, next_seq=3)
            await second.events.acknowledge("s1", 1)
            assert await second.commit(answer=ANSWER, event=event(3))
            assert not await first.commit(answer=ANSWER, event=event(3))
            assert "another server" in await refusal(first.events.append(event(3)))
            assert await numbers(first) == [2, 3]
            await second.sessions.touch("s1", 2_000.0)
            assert not await first.sessions.delete("s1", seen_before=2_000.0)

    async def test_two_servers_answer_the_same_chats_once(self, tmp_path: Path) -> None:
        if not self.durable:
            return
        async with self.open_store(tmp_path) as first, self.open_store(tmp_path) as second:
            for name in ("s1", "s2"):
                await first.sessions.save(replace(SESSION, id=name))

            async def answer_all(store: Store, name: str) -> list[bool]:
                seq, told = 1, []
                for number in range(50):
                    answer = replace(ANSWER, chat_id=str(number), payload=name.encode())
                    told.append(await store.commit(answer=answer, event=event(seq, name)))
                    seq += told[-1]
                return told

            told = await asyncio.gather(answer_all(first, "s1"), answer_all(second, "s2"))
            assert [one + other for one, other in zip(*told, strict=True)] == [1] * 50
            for name, answered in zip(("s1", "s2"), told, strict=True):
                found = [await second.answers.get("alice", str(number)) for number in range(50)]
                payload = name.encode()
                assert [answer is not None and answer.payload == payload for answer in found] == answered
            assert await first.events.count("s1") == sum(told[0])
            assert await first.events.count("s2") == sum(told[1])
