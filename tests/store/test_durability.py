"""A process that is killed loses nothing it was told is stored, and leaves nothing half stored."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lumi.store.base import Answer, DialogueEntry, SessionRecord, StoredEvent
from lumi.store.sqlite import SqliteStore

ANSWERS = """
import asyncio, sys
from lumi.store.base import Answer
from lumi.store.sqlite import SqliteStore

async def main():
    store = await SqliteStore.open(sys.argv[1])

    async def talk(name):
        for number in range(100_000):
            await store.answers.put(Answer(name, str(number), "digest", b"payload", 1.0))
            print(name, number, flush=True)

    async with asyncio.TaskGroup() as group:
        for name in ("a", "b", "c", "d"):
            group.create_task(talk(name))

asyncio.run(main())
"""

CHATS = """
import asyncio, sys
from lumi.store.base import Answer, SessionRecord, StoredEvent
from lumi.store.sqlite import SqliteStore

async def main():
    store = await SqliteStore.open(sys.argv[1])

    async def talk(name):
        await store.sessions.save(SessionRecord(name, name, 1.0, 1.0, 0, 1, b"state"))
        for seq in range(1, 100_000):
            answer = Answer(name, str(seq), "digest", b"payload", 1.0)
            await store.commit(answer=answer, event=StoredEvent(name, seq, b"event", 1.0))
            print(name, seq, flush=True)
            if seq % 10 == 0:
                await store.events.acknowledge(name, seq - 5)

    async with asyncio.TaskGroup() as group:
        for name in ("a", "b", "c", "d"):
            group.create_task(talk(name))

asyncio.run(main())
"""

ENDINGS = """
import asyncio, sys
from lumi.store.sqlite import SqliteStore

async def main():
    store = await SqliteStore.open(sys.argv[1])

    async def end(name):
        await store.sessions.delete(name)
        print(name, flush=True)

    async with asyncio.TaskGroup() as group:
        for name in sys.argv[2:]:
            group.create_task(end(name))

asyncio.run(main())
"""


async def _kill_after(lines: int, program: str, *arguments: str) -> list[list[str]]:
    """What a program had said, word by word, when it was killed after so many lines; a torn line is left out."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": "src"},
    )
    assert process.stdout is not None
    said = b"".join([await process.stdout.readline() for _ in range(lines)])
    process.kill()
    said += await process.stdout.read()
    await process.wait()
    assert said.count(b"\n") >= lines
    return [line.split() for line in said[: said.rfind(b"\n")].decode().split("\n")]


@asynccontextmanager
async def _open(path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(path)
    try:
        yield store
    finally:
        await store.aclose()


@pytest.mark.real
@pytest.mark.parametrize("after", [1, 50, 333])
async def test_a_killed_process_has_kept_all_it_said_it_kept(tmp_path: Path, after: int) -> None:
    path = tmp_path / "lumi.db"
    said = await _kill_after(after, ANSWERS, str(path))
    async with _open(path) as store:
        for owner, number in said:
            assert await store.answers.get(owner, number) is not None, (owner, number)


@pytest.mark.real
@pytest.mark.parametrize("after", [1, 17, 90, 250, 777])
async def test_a_killed_process_has_no_answer_without_its_event_and_no_event_without_its_answer(
    tmp_path: Path, after: int
) -> None:
    path = tmp_path / "lumi.db"
    said = {name: int(seq) for name, seq in await _kill_after(after, CHATS, str(path))}
    assert said
    async with _open(path) as store:
        for name, stored in said.items():
            record = await store.sessions.load(name, name)
            assert record is not None
            last = record.next_seq - 1
            assert last >= stored  # nothing that was said to be stored is missing
            events = await store.events.after(name, 0)
            assert [event.seq for event in events] == list(range(record.acknowledged + 1, last + 1))
            for seq in range(1, last + 1):
                assert await store.answers.get(name, str(seq)) is not None
            assert await store.answers.get(name, str(last + 1)) is None
            await store.commit(event=StoredEvent(name, last + 1, b"the next server goes on", 2.0))


@pytest.mark.real
async def test_a_killed_process_leaves_no_session_half_deleted(tmp_path: Path) -> None:
    path = tmp_path / "lumi.db"
    names = [f"s{number}" for number in range(3_000)]
    async with _open(path) as store, asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(_begin(store, name))
    said = {name for (name,) in await _kill_after(1, ENDINGS, str(path), *names)}
    async with _open(path) as store:
        for name in names:
            left = (
                await store.sessions.load("alice", name) is not None,
                await store.events.count(name) == 2,
                len(await store.dialogues.load(name)) == 2,
            )
            assert left in ({(False,) * 3} if name in said else {(False,) * 3, (True,) * 3}), name
        assert await store.answers.get("alice", "s0") is not None


async def _begin(store: SqliteStore, name: str) -> None:
    await store.sessions.save(SessionRecord(name, "alice", 1.0, 1.0, 0, 1, b"state"))
    await store.commit(
        answer=Answer("alice", name, "digest", b"payload", 1.0), event=StoredEvent(name, 1, b"one", 1.0)
    )
    await store.events.append(StoredEvent(name, 2, b"two", 1.0))
    await store.dialogues.append(
        name, [DialogueEntry("user", "hello", 1.0), DialogueEntry("assistant", "hi", 1.0)]
    )
