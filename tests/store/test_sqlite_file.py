from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from lumi.errors import StoreError
from lumi.store import sqlite_file
from lumi.store.base import Answer, DialogueEntry, SessionRecord, StoredEvent, Timer
from lumi.store.sqlite import SqliteStore
from lumi.store.sqlite_file import APPLICATION_ID, MIGRATIONS, open_file, store_error


def _pragma(path: Path, name: str) -> object:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]
    finally:
        connection.close()


def test_a_new_file_is_begun_with_its_directories_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "deep" / "lumi.db"
    open_file(path).close()
    assert _pragma(path, "user_version") == len(MIGRATIONS)
    assert _pragma(path, "application_id") == APPLICATION_ID
    assert _pragma(path, "journal_mode") == "wal"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lumi.db"
    for _ in range(2):
        connection = open_file(path)
        connection.execute("INSERT INTO list_items (owner, name, item) VALUES ('a', 'b', 'c')")
        connection.close()
    connection = open_file(path)
    assert connection.execute("SELECT count(*) FROM list_items").fetchone() == (2,)
    connection.close()


def test_an_older_file_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lumi.db"
    open_file(path).close()
    newer = (*MIGRATIONS, ("ALTER TABLE timers ADD COLUMN room TEXT NOT NULL DEFAULT ''",))
    monkeypatch.setattr(sqlite_file, "MIGRATIONS", newer)
    connection = open_file(path)
    assert "room" in [row[1] for row in connection.execute("PRAGMA table_info(timers)")]
    connection.close()
    assert _pragma(path, "user_version") == len(newer)


V1 = """
CREATE TABLE answers (
    owner TEXT NOT NULL, chat_id TEXT NOT NULL, question_digest TEXT NOT NULL,
    payload BLOB NOT NULL, created_at REAL NOT NULL,
    PRIMARY KEY (owner, chat_id)) WITHOUT ROWID;
CREATE INDEX answers_by_age ON answers (created_at);
CREATE TABLE timers (
    owner TEXT NOT NULL, id TEXT NOT NULL, due_at REAL NOT NULL, kind TEXT NOT NULL, label TEXT NOT NULL,
    language TEXT NOT NULL, created_at REAL NOT NULL, duration_s REAL NOT NULL,
    PRIMARY KEY (owner, id)) WITHOUT ROWID;
CREATE INDEX timers_by_due ON timers (due_at, created_at, id);
CREATE TABLE list_items (
    position INTEGER PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, item TEXT NOT NULL);
CREATE INDEX list_items_by_list ON list_items (owner, name, position);
CREATE TABLE dialogue (
    position INTEGER PRIMARY KEY, session_id TEXT NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL,
    created_at REAL NOT NULL);
CREATE INDEX dialogue_by_session ON dialogue (session_id, position);
PRAGMA journal_mode = WAL;
PRAGMA application_id = 1282764137;
PRAGMA user_version = 1;
INSERT INTO answers VALUES ('alice', 'chat-1', 'digest', x'00ff', 1000.0);
INSERT INTO timers VALUES ('alice', 't1', 1060.0, 'timer', 'noodles', 'en', 1000.0, 60.0);
INSERT INTO list_items (owner, name, item) VALUES ('alice', 'shopping', 'milk');
INSERT INTO dialogue (session_id, role, content, created_at) VALUES ('s1', 'user', 'hello', 1000.0);
"""
"""A file of the first schema as it was in the field; not made from `MIGRATIONS`, so that a change there is noticed."""


def _schema(connection: sqlite3.Connection) -> list[tuple[str, list[str]]]:
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
    return [(name, sql.split()) for name, sql in rows]


async def test_a_file_of_the_first_schema_keeps_all_and_learns_sessions(tmp_path: Path) -> None:
    path = tmp_path / "lumi.db"
    old = sqlite3.connect(path)
    old.executescript(V1)
    old.close()
    store = await SqliteStore.open(path)
    try:
        assert await store.answers.get("alice", "chat-1") == Answer(
            "alice", "chat-1", "digest", b"\x00\xff", 1000.0
        )
        assert list(await store.timers.of("alice")) == [
            Timer("t1", "alice", 1060.0, "timer", "noodles", "en", 1000.0, 60.0)
        ]
        assert list(await store.lists.items("alice", "shopping")) == ["milk"]
        assert list(await store.dialogues.load("s1")) == [DialogueEntry("user", "hello", 1000.0)]
        assert await store.sessions.load("alice", "s1") is None
        await store.sessions.save(SessionRecord("s1", "alice", 1000.0, 1000.0, 0, 1, b""))
        assert await store.commit(event=StoredEvent("s1", 1, b"event", 1000.0))
    finally:
        await store.aclose()
    assert _pragma(path, "user_version") == len(MIGRATIONS) >= 2


def test_a_migrated_file_is_as_a_new_one(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "old.db")
    old.executescript(V1)
    old.close()
    migrated, new = open_file(tmp_path / "old.db"), open_file(tmp_path / "new.db")
    assert _schema(migrated) == _schema(new)
    migrated.close()
    new.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lumi.db"
    open_file(path).close()
    broken = (*MIGRATIONS, ("CREATE TABLE good (x)", "CREATE TABLE answers (x)"))
    monkeypatch.setattr(sqlite_file, "MIGRATIONS", broken)
    with pytest.raises(StoreError, match="already exists"):
        open_file(path)
    monkeypatch.undo()
    connection = open_file(path)
    assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'good'").fetchall()
    connection.close()


def test_a_newer_file_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "lumi.db"
    connection = open_file(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 6}")
    connection.close()
    with pytest.raises(
        StoreError, match=rf"newer Lumi \(its schema is {len(MIGRATIONS) + 6}.*another data directory"
    ):
        open_file(path)
    assert _pragma(path, "user_version") == len(MIGRATIONS) + 6


def test_a_foreign_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "places.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="belongs to another program"):
        open_file(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lumi.db"
    path.write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(StoreError, match="not a database: move it away"):
        open_file(path)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lumi.db"
    open_file(path).close()
    content = bytearray(path.read_bytes())
    content[100:] = os.urandom(len(content) - 100)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"lumi\.db: it is damaged"):
        open_file(path)


def test_a_directory_in_the_way_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be written \(.*irectory.*set another data directory"):
        open_file(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        open_file(tmp_path / "file" / "lumi.db")


def test_a_locked_file_is_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lumi.db"
    open_file(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT_MS", 10)
    with pytest.raises(StoreError, match="another program has locked it"):
        open_file(path)
    other.close()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_FULL, "the disk is full"),
        (sqlite3.SQLITE_READONLY, "read-only"),
        (sqlite3.SQLITE_IOERR_WRITE, "check its health"),
        (sqlite3.SQLITE_PERM, "may not write"),
        (sqlite3.SQLITE_CANTOPEN, "cannot be opened"),
    ],
)
def test_every_failure_names_its_mend(code: int, words: str) -> None:
    error = sqlite3.OperationalError("as the library says")
    error.sqlite_errorcode = code
    text = str(store_error(Path("/data/lumi.db"), error))
    assert text.startswith("the store /data/lumi.db: ")
    assert words in text
    assert "as the library says" in text


def test_an_unknown_failure_keeps_the_librarys_words() -> None:
    assert str(store_error(Path("x"), sqlite3.Error("odd"))) == "the store x failed: odd"
