from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lumi.errors import StoreError
from lumi.store import sqlite_thread
from lumi.store.sqlite_thread import SqliteThread, Statement, Step


def _nothing(_: sqlite3.Cursor) -> None:
    return None


ADD = Statement("INSERT INTO list_items (owner, name, item) VALUES ('o', 'n', ?)", _nothing, writes=True)
COUNT = Statement("SELECT count(*) FROM list_items", lambda cursor: cursor.fetchone()[0], writes=False)
ITEMS = Statement(
    "SELECT item FROM list_items ORDER BY position", lambda cursor: [item for (item,) in cursor], writes=False
)
BAD = Statement("INSERT INTO nowhere VALUES (?)", _nothing, writes=True)


@asynccontextmanager
async def _open(path: Path) -> AsyncIterator[SqliteThread]:
    thread = SqliteThread(path / "lumi.db")
    await thread.open()
    try:
        yield thread
    finally:
        await thread.aclose()


def _lumi_threads() -> int:
    return sum(thread.name.startswith("lumi-store") for thread in threading.enumerate())


async def test_what_comes_while_a_commit_waits_shares_the_next_and_one_thread(tmp_path: Path) -> None:
    async with _open(tmp_path) as thread:
        commits: list[int] = []
        real_commit = thread._commit

        def counting(works: list[Sequence[Step]]) -> list[object]:
            commits.append(len(works))
            return real_commit(works)

        thread._commit = counting  # type: ignore[method-assign]
        async with asyncio.TaskGroup() as group:
            for number in range(100):
                group.create_task(thread.do(ADD, str(number)))
        assert commits == [1, 99]
        assert await thread.do(COUNT) == 100
        assert _lumi_threads() == 1
    assert _lumi_threads() == 0


async def test_a_batch_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_thread, "MAX_BATCH", 10)
    async with _open(tmp_path) as thread, asyncio.TaskGroup() as group:
        for number in range(35):
            group.create_task(thread.do(ADD, str(number)))
    async with _open(tmp_path) as thread:
        assert await thread.do(COUNT) == 35


async def test_who_comes_when_too_many_wait_is_told_so_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_thread, "MAX_WAITING", 2)
    async with _open(tmp_path) as thread, asyncio.TaskGroup() as group:
        for number in range(3):  # one in the making, two waiting
            group.create_task(thread.do(ADD, str(number)))
        await asyncio.sleep(0)
        with pytest.raises(StoreError, match="cannot keep up: 2 pieces"):
            await thread.do(COUNT)


async def test_several_steps_are_all_or_none(tmp_path: Path) -> None:
    async with _open(tmp_path) as thread:
        with pytest.raises(StoreError, match="cannot keep this"):
            await thread.do_all([(ADD, ("good",)), (ADD, ("half a character \ud800",))])
        assert await thread.do(COUNT) == 0
        assert await thread.do_all([(ADD, ("a",)), (COUNT, ()), (ADD, ("b",)), (COUNT, ())]) == 2


async def test_what_cannot_be_kept_is_its_own_askers_fault_alone(tmp_path: Path) -> None:
    async with _open(tmp_path) as thread:
        async with asyncio.TaskGroup() as group:
            group.create_task(thread.do(COUNT))  # the three below share a commit
            good = group.create_task(thread.do(ADD, "good"))
            bad = group.create_task(_refusal(thread, ADD, "\ud800"))
            huge = group.create_task(_refusal(thread, ADD, 2**70))
        assert good.result() is None
        assert "cannot keep this" in bad.result()
        assert "cannot keep this" in huge.result()
        assert await thread.do(COUNT) == 1


async def test_what_a_reader_refuses_is_undone_for_its_own_asker_alone(tmp_path: Path) -> None:
    def refuse(_: sqlite3.Cursor) -> None:
        raise StoreError("not this one")

    no = Statement("SELECT 1", refuse, writes=False)
    async with _open(tmp_path) as thread:
        told = await asyncio.gather(
            thread.do(COUNT),  # the four below share a commit
            thread.do(ADD, "before"),
            thread.do_all([(ADD, ("gone",)), (no, ()), (ADD, ("never",))]),
            thread.do(no),
            thread.do(ADD, "after"),
            return_exceptions=True,
        )
        assert [str(answer) for answer in told] == ["0", "None", "not this one", "not this one", "None"]
        assert await thread.do(ITEMS) == ["before", "after"]


async def test_an_error_of_the_file_is_everybodys_and_nothing_is_half_done(tmp_path: Path) -> None:
    async with _open(tmp_path) as thread:
        async with asyncio.TaskGroup() as group:
            group.create_task(thread.do(COUNT))
            told = [group.create_task(_refusal(thread, *step)) for step in ((ADD, "a"), (BAD, "b"))]
        assert all("no such table" in task.result() for task in told)
        assert await thread.do(COUNT) == 0


async def _refusal(thread: SqliteThread, statement: Statement, *arguments: object) -> str:
    with pytest.raises(StoreError) as refused:
        await thread.do(statement, *arguments)
    return str(refused.value)


async def test_whoever_gives_up_waiting_disturbs_nobody(tmp_path: Path) -> None:
    async with _open(tmp_path) as thread, asyncio.TaskGroup() as group:
        tasks = [group.create_task(thread.do(ADD, str(number))) for number in range(5)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[3].cancel()
    async with _open(tmp_path) as thread:
        assert await thread.do(COUNT) == 5


async def test_closing_finishes_what_was_asked_and_refuses_what_comes_after(tmp_path: Path) -> None:
    async with _open(tmp_path) as thread, asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(thread.do(ADD, str(number)))
        await asyncio.sleep(0)
        await thread.aclose()
        with pytest.raises(StoreError, match="is closed"):
            await thread.do(COUNT)
    async with _open(tmp_path) as thread:
        assert await thread.do(COUNT) == 20


async def test_a_bug_in_a_reader_reaches_whoever_asked_and_the_thread_lives_on(tmp_path: Path) -> None:
    def broken(_: sqlite3.Cursor) -> None:
        raise KeyError("a bug")

    async with _open(tmp_path) as thread:
        with pytest.raises(KeyError):
            await thread.do(Statement("SELECT 1", broken, writes=False))
        await thread.do(ADD, "still works")
        assert await thread.do(COUNT) == 1


async def test_a_file_that_cannot_be_opened_leaves_no_thread(tmp_path: Path) -> None:
    thread = SqliteThread(tmp_path)
    with pytest.raises(StoreError):
        await thread.open()
    await thread.aclose()
    with pytest.raises(StoreError, match="is closed"):
        await thread.do(COUNT)
    assert _lumi_threads() == 0


async def test_another_processs_lock_is_named_when_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lumi.store.sqlite_file.BUSY_TIMEOUT_MS", 10)
    async with _open(tmp_path) as thread:
        other = sqlite3.connect(tmp_path / "lumi.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program has locked it"):
            await thread.do(ADD, "x")
        other.execute("ROLLBACK")
        other.close()
        await thread.do(ADD, "x")


async def test_a_full_disk_is_named_and_what_was_stored_is_safe(tmp_path: Path) -> None:
    async with _open(tmp_path) as thread:
        await thread.do(ADD, "before")
        await thread.do(Statement("PRAGMA max_page_count = 40", _nothing, writes=True))  # as a full disk does
        with pytest.raises(
            StoreError, match="the disk is full: free some space; what was stored before is safe"
        ):
            await thread.do(ADD, "x" * 1_000_000)
        await thread.do(ADD, "small")
        assert await thread.do(COUNT) == 2


async def test_closing_may_be_given_up_and_tried_again(tmp_path: Path) -> None:
    async with _open(tmp_path) as thread, asyncio.TaskGroup() as group:
        group.create_task(thread.do(ADD, "x"))
        closing = group.create_task(thread.aclose())
        await asyncio.sleep(0)
        closing.cancel()
    assert _lumi_threads() == 0


@pytest.mark.real
async def test_an_opening_that_is_given_up_leaves_no_thread(tmp_path: Path) -> None:
    thread = SqliteThread(tmp_path / "lumi.db")
    async with asyncio.TaskGroup() as group:
        opening = group.create_task(thread.open())
        await asyncio.sleep(0)
        opening.cancel()
    await asyncio.to_thread(thread._executor.shutdown)
    assert thread._connection is None
    assert _lumi_threads() == 0
