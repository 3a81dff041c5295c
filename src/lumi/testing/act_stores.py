"""What every store must do with acts; part of `StoreConformance`."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

from lumi.store.base import Act, Store

ACT = Act("alice", "turn-1", "digest", 1_000.0)


class ActConformance:
    """Each act is done once."""

    durable = False

    def open_store(self, place: Path) -> AbstractAsyncContextManager[Store]:
        raise NotImplementedError

    async def test_an_act_is_begun_once(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            assert await store.acts.begin(ACT) is None
            assert await store.acts.begin(replace(ACT, created_at=2_000.0)) == ACT
            for other in (replace(ACT, owner="bob"), replace(ACT, turn_id="2"), replace(ACT, digest="other")):
                assert await store.acts.begin(other) is None

    async def test_of_many_who_begin_the_same_act_one_does_it(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            found = await asyncio.gather(*(store.acts.begin(ACT) for _ in range(20)))
            assert found.count(None) == 1

    async def test_a_result_is_kept_and_outlives_the_process_where_anything_does(
        self, tmp_path: Path
    ) -> None:
        done = replace(ACT, result=b"it is on")
        async with self.open_store(tmp_path) as store:
            await store.acts.begin(ACT)
            await store.acts.begin(replace(ACT, turn_id="unfinished"))
            await store.acts.finish(done)
            assert await store.acts.begin(ACT) == done
        if self.durable:
            async with self.open_store(tmp_path) as store:
                assert await store.acts.begin(ACT) == done
                unfinished = await store.acts.begin(replace(ACT, turn_id="unfinished"))
                assert unfinished is not None
                assert unfinished.result is None

    async def test_what_was_not_done_may_be_begun_again(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.acts.begin(ACT)
            await store.acts.drop(ACT)
            await store.acts.drop(ACT)
            assert await store.acts.begin(ACT) is None

    async def test_old_acts_are_forgotten_and_counted(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for number in range(5):
                await store.acts.begin(replace(ACT, turn_id=str(number), created_at=1_000.0 + number))
            assert await store.acts.forget_before(1_003.0) == 3
            assert await store.acts.begin(replace(ACT, turn_id="0")) is None
            assert await store.acts.begin(replace(ACT, turn_id="4")) is not None
