"""The SQLite file: opening it, its schema from the first day on, and what its errors mean for a person."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from lumi.errors import StoreError

APPLICATION_ID = 0x4C756D69  # 'Lumi'; tells our file from any other SQLite file

BUSY_TIMEOUT_MS = 5_000
"""How long a statement waits for another process (a second worker, a backup) before it fails."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE answers (
            owner TEXT NOT NULL, chat_id TEXT NOT NULL, question_digest TEXT NOT NULL,
            payload BLOB NOT NULL, created_at REAL NOT NULL,
            PRIMARY KEY (owner, chat_id)) WITHOUT ROWID""",
        "CREATE INDEX answers_by_age ON answers (created_at)",
        """CREATE TABLE timers (
            owner TEXT NOT NULL, id TEXT NOT NULL, due_at REAL NOT NULL, kind TEXT NOT NULL, label TEXT NOT NULL,
            language TEXT NOT NULL, created_at REAL NOT NULL, duration_s REAL NOT NULL,
            PRIMARY KEY (owner, id)) WITHOUT ROWID""",
        "CREATE INDEX timers_by_due ON timers (due_at, created_at, id)",
        """CREATE TABLE list_items (
            position INTEGER PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, item TEXT NOT NULL)""",
        "CREATE INDEX list_items_by_list ON list_items (owner, name, position)",
        """CREATE TABLE dialogue (
            position INTEGER PRIMARY KEY, session_id TEXT NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL,
            created_at REAL NOT NULL)""",
        "CREATE INDEX dialogue_by_session ON dialogue (session_id, position)",
    ),
    (
        """CREATE TABLE sessions (
            id TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, created_at REAL NOT NULL, seen_at REAL NOT NULL,
            acknowledged INTEGER NOT NULL, next_seq INTEGER NOT NULL, state BLOB NOT NULL)""",
        "CREATE INDEX sessions_by_seen ON sessions (seen_at, id)",
        """CREATE TABLE events (
            session_id TEXT NOT NULL, seq INTEGER NOT NULL, payload BLOB NOT NULL, created_at REAL NOT NULL,
            PRIMARY KEY (session_id, seq)) WITHOUT ROWID""",
        "CREATE INDEX dialogue_by_age ON dialogue (created_at)",
    ),
    (
        """CREATE TABLE devices (
            id TEXT NOT NULL PRIMARY KEY, client_id TEXT NOT NULL, name TEXT NOT NULL, model TEXT NOT NULL,
            state TEXT NOT NULL, tokens_from INTEGER NOT NULL, keyed INTEGER NOT NULL, persona TEXT NOT NULL,
            language TEXT NOT NULL, voice TEXT NOT NULL, first_seen REAL NOT NULL, last_seen REAL NOT NULL)""",
        """CREATE TABLE pairings (
            device_id TEXT NOT NULL PRIMARY KEY, code TEXT NOT NULL UNIQUE, client_id TEXT NOT NULL,
            challenge TEXT NOT NULL, expires_at REAL NOT NULL, attempts INTEGER NOT NULL)""",
    ),
    (
        """CREATE TABLE acts (
            owner TEXT NOT NULL, turn_id TEXT NOT NULL, digest TEXT NOT NULL, created_at REAL NOT NULL, result BLOB,
            PRIMARY KEY (owner, turn_id, digest)) WITHOUT ROWID""",
        "CREATE INDEX acts_by_age ON acts (created_at)",
    ),
    (
        "DROP TABLE pairings",  # of ten minutes' worth: who waits asks again
        """CREATE TABLE pairings (
            code TEXT NOT NULL PRIMARY KEY, device_id TEXT NOT NULL, client_id TEXT NOT NULL,
            challenge TEXT NOT NULL, expires_at REAL NOT NULL, attempts INTEGER NOT NULL,
            UNIQUE (device_id, client_id))""",
    ),
)
"""One entry per schema version, each a series of statements. Entries are only ever added: files in the field have
been through the earlier ones. `PRAGMA user_version` counts those a file has been through."""

_MENDS: dict[int, str] = {
    sqlite3.SQLITE_BUSY: "another program has locked it: is a second server using the same data directory?",
    sqlite3.SQLITE_LOCKED: "another program has locked it: is a second server using the same data directory?",
    sqlite3.SQLITE_PERM: "this user may not write there: change its owner, or set another data directory",
    sqlite3.SQLITE_READONLY: "it is read-only: make it writable, or set another data directory",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: does the directory exist, and may this user write there?",
    sqlite3.SQLITE_FULL: "the disk is full: free some space; what was stored before is safe",
    sqlite3.SQLITE_IOERR: "the disk cannot read or write it: check its health and its free space",
    sqlite3.SQLITE_CORRUPT: "it is damaged: put a copy of it back, or move it away and a new one is begun",
    sqlite3.SQLITE_NOTADB: "it is not a database: move it away and a new one is begun",
}


def store_error(path: Path, error: sqlite3.Error) -> StoreError:
    """What went wrong, with the mend."""
    code = getattr(error, "sqlite_errorcode", None)
    mend = _MENDS.get(code & 0xFF) if isinstance(code, int) else None
    return StoreError(f"the store {path}: {mend} ({error})" if mend else f"the store {path} failed: {error}")


def open_file(path: Path) -> sqlite3.Connection:
    """Open or begin the store at `path` and bring its schema up to date. To be used by the calling thread only.

    Raises:
        StoreError: it cannot be opened, is damaged, is not ours, or was made by a newer Lumi.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # what people said is nobody else's business
    except OSError as error:
        raise StoreError(
            f"the store {path}: cannot be written ({error.strerror}): set another data directory"
        ) from error
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)
        _prepare(connection, path)
    except (sqlite3.Error, StoreError) as error:
        if connection is not None:
            connection.close()
        raise (error if isinstance(error, StoreError) else store_error(path, error)) from error
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _check_ours(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a write that has returned survives a power cut
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection, path)  # again: another process may have been here in between
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Before anything is written to it."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application_id != APPLICATION_ID and tables:
        raise StoreError(f"the store {path}: belongs to another program: set another data directory")
    _version(connection, path)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        ages = f"its schema is {version}, this Lumi knows {len(MIGRATIONS)}"
        raise StoreError(
            f"the store {path}: was made by a newer Lumi ({ages}): get that one, or set another data directory"
        )
    return int(version)
