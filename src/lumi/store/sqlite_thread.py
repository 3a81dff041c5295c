"""All work on one SQLite file, in one thread, many pieces to a commit.

A commit waits for the disk; what arrives meanwhile goes into the next one. So one caller pays one disk write each
time, and a thousand callers at once share it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lumi.errors import StoreError
from lumi.store.sqlite_file import open_file, store_error

T = TypeVar("T")

MAX_BATCH = 1_000
"""Pieces of work in one commit."""

MAX_WAITING = 20_000
"""Pieces that may wait; beyond that the disk cannot keep up, and whoever asks is told so at once."""


@dataclass(frozen=True, slots=True)
class Statement:
    """An SQL statement, and what is made of its cursor.

    A `read` that raises StoreError undoes the steps before its own.
    """

    sql: str
    read: Callable[[sqlite3.Cursor], Any]
    writes: bool


Step = tuple[Statement, Sequence[Any]]
"""A statement with its arguments."""


@dataclass(slots=True)
class _Pending:
    steps: Sequence[Step]
    answer: asyncio.Future[Any]


class SqliteThread:
    """Owns the connection. Belongs to the loop it is opened in; close it before that loop ends."""

    def __init__(self, path: Path) -> None:
        self._path = path.expanduser()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="lumi-store")
        self._connection: sqlite3.Connection | None = None  # only the thread uses it
        self._waiting: list[_Pending] = []
        self._batch: list[_Pending] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    async def open(self) -> None:
        """Raises StoreError. Whatever goes wrong, neither thread nor file stays open."""
        try:
            await self._in_thread(self._open)
        except BaseException as error:
            self._closed = True
            self._executor.submit(self._close)  # after the opening, if a cancelled caller left it under way
            self._executor.shutdown(wait=isinstance(error, StoreError))
            raise

    async def do(self, statement: Statement, *arguments: Any) -> Any:
        """Run a statement and return what it reads, once it is durable if it writes."""
        return await self.do_all([(statement, arguments)])

    async def do_all(self, steps: Sequence[Step]) -> Any:
        """Several steps, all or none; returns what the last one reads."""
        if self._closed:
            raise StoreError(f"the store {self._path} is closed: open it again before using it")
        if len(self._waiting) >= MAX_WAITING:
            raise StoreError(
                f"the store {self._path} cannot keep up: {MAX_WAITING} pieces of work wait; is the disk slow?"
            )
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(_Pending(steps, answer))
        if not self._batch:
            self._start()
        return await answer

    async def aclose(self) -> None:
        """Everything asked before is done first."""
        self._closed = True
        await self._idle.wait()
        if self._connection is not None:
            await self._in_thread(self._close)
            self._executor.shutdown()

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    def _start(self) -> None:
        self._batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        if not self._batch:
            self._idle.set()
            return
        self._idle.clear()
        works = [pending.steps for pending in self._batch]
        job = asyncio.get_running_loop().run_in_executor(self._executor, self._commit, works)
        job.add_done_callback(self._finished)

    def _finished(self, job: asyncio.Future[list[Any]]) -> None:
        batch = self._batch
        failure = asyncio.CancelledError() if job.cancelled() else job.exception()
        results = [failure] * len(batch) if failure is not None else job.result()
        for pending, result in zip(batch, results, strict=True):
            if pending.answer.done():  # whoever asked was cancelled
                continue
            if isinstance(result, BaseException):
                pending.answer.set_exception(result)
            else:
                pending.answer.set_result(result)
        self._start()

    # ── in the thread ────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self) -> None:
        self._connection = open_file(self._path)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _commit(self, works: list[Sequence[Step]]) -> list[Any]:
        """One transaction for all: an error of the file is everybody's."""
        connection = self._connection
        assert connection is not None
        writes = any(statement.writes for steps in works for statement, _ in steps)
        try:
            connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            results = [self._run(connection, steps) for steps in works]
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            return [store_error(self._path, error) for _ in works]
        finally:
            _roll_back(connection)
        return results

    def _run(self, connection: sqlite3.Connection, steps: Sequence[Step]) -> Any:
        """What cannot be stored at all (half a character, an endless number), and what a reader refuses by raising
        StoreError, is its own asker's fault alone.
        """
        result: Any = None
        try:
            if len(steps) > 1:
                connection.execute("SAVEPOINT steps")
            for statement, arguments in steps:
                result = statement.read(connection.execute(statement.sql, arguments))
        except (UnicodeError, OverflowError, StoreError) as error:
            words = f"the store {self._path} cannot keep this: {error}"
            result = error if isinstance(error, StoreError) else StoreError(words)
            if len(steps) > 1:
                connection.execute("ROLLBACK TO steps")
        if len(steps) > 1:
            connection.execute("RELEASE steps")
        return result


def _roll_back(connection: sqlite3.Connection) -> None:
    """Whatever went wrong, the next transaction finds none open; after a commit there is none."""
    if connection.in_transaction:
        with contextlib.suppress(sqlite3.Error):  # the failure that led here is the one to tell
            connection.rollback()
