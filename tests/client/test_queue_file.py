from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from lumi.client.queue_file import APPLICATION_ID, SCHEMA, QueueFile, Row, queue_error
from lumi.errors import StoreError


def row(name: str, payload: bytes = b"payload") -> Row:
    return Row(name, "chat", payload, 1000.5)


async def refused(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        await QueueFile(path).open()
    return str(caught.value)


async def test_rows_come_back_in_order(tmp_path: Path):
    path = tmp_path / "data" / "q.db"
    file = QueueFile(path)
    assert await file.open() == []
    await file.write([row("b"), row("a", b"\0\xff")], [])
    await file.write([row("c")], ["b", "nobody"])
    await file.aclose()
    file = QueueFile(path)
    assert await file.open() == [row("a", b"\0\xff"), row("c")]
    await file.aclose()


async def test_both_or_neither(tmp_path: Path):
    file = QueueFile(tmp_path / "q.db")
    await file.open()
    await file.write([row("a")], [])
    with pytest.raises(StoreError, match="UNIQUE"):
        await file.write([row("b"), row("b")], ["a"])
    await file.aclose()
    file = QueueFile(tmp_path / "q.db")
    assert await file.open() == [row("a")]
    await file.aclose()


async def test_after_the_end_nothing_is_written(tmp_path: Path):
    file = QueueFile(tmp_path / "q.db")
    with pytest.raises(StoreError, match="is closed: open it before using it"):
        await file.write([row("a")], [])
    await file.open()
    await file.aclose()


async def test_the_file_is_ours_and_nobody_elses(tmp_path: Path):
    path = tmp_path / "q.db"
    file = QueueFile(path)
    await file.open()
    with pytest.raises(sqlite3.OperationalError, match="locked"), sqlite3.connect(path, timeout=0) as other:
        other.execute("SELECT * FROM messages")
    other.close()
    await file.aclose()
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert other.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
        other.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    other.close()
    assert "was made by a newer Lumi (its schema is 2, this one knows 1)" in await refused(path)


async def test_a_file_that_cannot_be_used_says_why_and_leaves_no_thread(tmp_path: Path):
    (tmp_path / "file").write_text("")
    (tmp_path / "letter").write_bytes(b"this is a letter, not a database" * 100)
    foreign = sqlite3.connect(tmp_path / "foreign")
    foreign.execute("CREATE TABLE bookmarks (url)")
    foreign.close()
    before = (tmp_path / "foreign").read_bytes()
    assert "cannot be written" in await refused(tmp_path)
    assert "keep the queue somewhere else" in await refused(tmp_path / "file" / "q.db")
    assert "not a database: move it away" in await refused(tmp_path / "letter")
    assert "belongs to another program" in await refused(tmp_path / "foreign")
    assert (tmp_path / "foreign").read_bytes() == before
    for thread in threading.enumerate():
        if thread.name.startswith("lumi-queue"):
            thread.join(5)
            assert not thread.is_alive()


async def test_a_damaged_file_is_refused(tmp_path: Path):
    path = tmp_path / "q.db"
    file = QueueFile(path)
    await file.open()
    await file.write([row(f"{number}", bytes(300)) for number in range(100)], [])
    await file.aclose()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    assert "it is damaged: move it away" in await refused(path)


async def test_who_is_cancelled_while_opening_leaves_the_file_free(tmp_path: Path):
    opening = asyncio.create_task(QueueFile(tmp_path / "q.db").open())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    file = QueueFile(tmp_path / "q.db")
    assert await file.open() == []
    await file.aclose()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_BUSY, "another program has it open"),
        (sqlite3.SQLITE_READONLY, "it is read-only: make it writable"),
        (sqlite3.SQLITE_FULL, "the disk is full"),
        (sqlite3.SQLITE_IOERR | 1 << 8, "the disk cannot read or write it"),
        (sqlite3.SQLITE_CORRUPT, "it is damaged"),
        (sqlite3.SQLITE_MISUSE, "q.db: what SQLite said"),
    ],
)
def test_what_sqlite_says_in_words(code: int, words: str):
    error = sqlite3.OperationalError("what SQLite said")
    error.sqlite_errorcode = code
    assert words in str(queue_error(Path("q.db"), error))
    assert "what SQLite said" in str(queue_error(Path("q.db"), sqlite3.OperationalError("what SQLite said")))
