"""The offline queue's file: SQLite in a thread of its own, held by one process at a time."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lumi.errors import StoreError

T = TypeVar("T")

APPLICATION_ID = 0x4C756D51  # 'LumQ': tells this file from any other SQLite file
SCHEMA = 1

OPEN_TRIES = 5
"""Two processes that open one file at the same moment may both find it taken: each lets go and tries again."""

_TABLE = """CREATE TABLE IF NOT EXISTS messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, payload BLOB NOT NULL,
    queued_at REAL NOT NULL)"""

_MENDS: dict[int, str] = {
    sqlite3.SQLITE_BUSY: "another program has it open: one client at a time; give this one a queue of its own",
    sqlite3.SQLITE_LOCKED: "another program has it open: one client at a time; give this one a queue of its own",
    sqlite3.SQLITE_PERM: "this user may not write there: change its owner, or keep the queue somewhere else",
    sqlite3.SQLITE_READONLY: "it is read-only: make it writable, or keep the queue somewhere else",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: does the directory exist, and may this user write there?",
    sqlite3.SQLITE_FULL: "the disk is full: free some space and say it again; what was queued before is safe",
    sqlite3.SQLITE_IOERR: "the disk cannot read or write it: check its health and its free space",
    sqlite3.SQLITE_CORRUPT: "it is damaged: move it away and a new one is begun",
    sqlite3.SQLITE_NOTADB: "it is not a database: move it away and a new one is begun",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One message as it lies in the file. `queued_at` in UNIX seconds."""

    id: str
    kind: str
    payload: bytes = field(repr=False)
    queued_at: float = 0.0


def queue_error(path: Path, error: sqlite3.Error) -> StoreError:
    """What went wrong, with the mend."""
    code = getattr(error, "sqlite_errorcode", None)
    mend = _MENDS.get(code & 0xFF) if isinstance(code, int) else None
    return StoreError(f"the message queue {path}: {f'{mend} ({error})' if mend else error}")


class QueueFile:
    """Owns the file from `open` to `aclose`; what `write` returned from survives a power cut."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="lumi-queue")
        self._connection: sqlite3.Connection | None = None  # only the thread uses it

    async def open(self) -> list[Row]:
        """Take the file and read what is in it, oldest first. Whatever goes wrong, nothing stays open.

        Raises:
            StoreError: it cannot be used, or another process uses it.
        """
        try:
            return await self._in_thread(self._open)
        except BaseException:
            self._executor.submit(self._close)
            self._executor.shutdown(wait=False)
            raise

    async def write(self, add: Sequence[Row], remove: Sequence[str]) -> None:
        """Both or neither, durable when it returns.

        Raises:
            StoreError: nothing was changed.
        """
        await self._in_thread(self._write, add, remove)

    async def aclose(self) -> None:
        """Everything asked before is done first."""
        await self._in_thread(self._close)
        self._executor.shutdown()

    async def _in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    # ── in the thread ────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self) -> list[Row]:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(
                os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)
            )  # what people say is nobody else's business
        except OSError as error:
            words = f"cannot be written ({error.strerror}): keep the queue somewhere else"
            raise StoreError(f"the message queue {self.path}: {words}") from error
        for attempt in range(1, OPEN_TRIES + 1):
            try:
                return self._take()
            except sqlite3.Error as error:
                self._close()  # lets go of its locks, so that the other one may have them
                if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_BUSY or attempt == OPEN_TRIES:
                    raise queue_error(self.path, error) from error
                time.sleep(0.01 * (1 + os.getpid() % 7) * attempt)
        raise AssertionError  # pragma: no cover

    def _take(self) -> list[Row]:
        """Lock the file, see that it is ours, read it."""
        connection = sqlite3.connect(self.path, timeout=0, isolation_level=None)
        self._connection = connection
        # Exclusive before anything is read: the lock is kept until the connection closes, or its process dies.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        self._check_ours(connection)
        connection.execute(_TABLE)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        rows = connection.execute("SELECT id, kind, payload, queued_at FROM messages ORDER BY position")
        return [Row(*row) for row in rows]

    def _check_ours(self, connection: sqlite3.Connection) -> None:
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        problem = None
        if application_id != APPLICATION_ID and tables:
            problem = "belongs to another program: keep the queue somewhere else"
        elif schema > SCHEMA:
            problem = (
                f"was made by a newer Lumi (its schema is {schema}, this one knows {SCHEMA}): get that one"
            )
        if problem is not None:
            self._close()
            raise StoreError(f"the message queue {self.path}: {problem}")

    def _write(self, add: Sequence[Row], remove: Sequence[str]) -> None:
        connection = self._connection
        if connection is None:
            raise StoreError(f"the message queue {self.path} is closed: open it before using it")
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM messages WHERE id = ?", [(one,) for one in remove])
            connection.executemany(
                "INSERT INTO messages (id, kind, payload, queued_at) VALUES (?, ?, ?, ?)",
                [(row.id, row.kind, row.payload, row.queued_at) for row in add],
            )
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back(connection)
            raise queue_error(self.path, error) from error

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:  # on some errors SQLite has done so itself
            connection.execute("ROLLBACK")

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
