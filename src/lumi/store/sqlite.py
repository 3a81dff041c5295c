"""The store in one SQLite file: the default. The contract is `store/base.py`'s, the file `sqlite_file.py`'s."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Self

from lumi.errors import StoreError
from lumi.store.base import DIALOGUE_ENTRIES, Answer, DialogueEntry, StoredEvent, Timer
from lumi.store.sqlite_acts import SqliteActs
from lumi.store.sqlite_devices import SqliteDevices, SqlitePairings
from lumi.store.sqlite_sessions import SqliteEvents, SqliteSessions, appending
from lumi.store.sqlite_thread import SqliteThread, Statement, Step


class SqliteStore:
    """One of each, in one file; made by `SqliteStore.open`."""

    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread
        self.answers = _Answers(thread)
        self.acts = SqliteActs(thread)
        self.timers = _Timers(thread)
        self.lists = _Lists(thread)
        self.dialogues = _Dialogues(thread)
        self.sessions = SqliteSessions(thread)
        self.events = SqliteEvents(thread)
        self.devices = SqliteDevices(thread)
        self.pairings = SqlitePairings(thread)

    @classmethod
    async def open(cls, path: str | Path) -> Self:
        """Open or begin the file at `path`, directories included. Raises StoreError, which names the mend."""
        thread = SqliteThread(Path(path))
        await thread.open()
        return cls(thread)

    async def commit(self, *, answer: Answer | None = None, event: StoredEvent | None = None) -> bool:
        steps: list[Step] = [] if answer is None else [(_FIRST_ANSWER, astuple(answer))]
        if event is not None:
            steps += appending(event)
        try:
            await self._thread.do_all(steps)
        except _AnswerKnown:
            return False
        return True

    async def aclose(self) -> None:
        """Finishes what was asked before; then the store raises StoreError."""
        await self._thread.aclose()


class _AnswerKnown(StoreError):
    """The chat was answered before: what goes with this answer is not stored either."""


def _nothing(_: sqlite3.Cursor) -> None:
    return None


def _count(cursor: sqlite3.Cursor) -> int:
    return cursor.rowcount


def _first(cursor: sqlite3.Cursor) -> None:
    if not cursor.rowcount:
        raise _AnswerKnown("the chat has an answer already")


def _any(cursor: sqlite3.Cursor) -> bool:
    return cursor.rowcount > 0


def _answer(cursor: sqlite3.Cursor) -> Answer | None:
    row = cursor.fetchone()
    return None if row is None else Answer(*row)


def _timers(cursor: sqlite3.Cursor) -> tuple[Timer, ...]:
    return tuple(Timer(*row) for row in cursor)


def _texts(cursor: sqlite3.Cursor) -> tuple[str, ...]:
    return tuple(text for (text,) in cursor)


def _entries_newest_first(cursor: sqlite3.Cursor) -> tuple[DialogueEntry, ...]:
    return tuple(DialogueEntry(*row) for row in reversed(cursor.fetchall()))


_GET_ANSWER = Statement(
    "SELECT owner, chat_id, question_digest, payload, created_at FROM answers WHERE owner = ? AND chat_id = ?",
    _answer,
    writes=False,
)
_PUT_ANSWER = Statement(
    "INSERT INTO answers (owner, chat_id, question_digest, payload, created_at) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING",
    _nothing,
    writes=True,
)
_FIRST_ANSWER = replace(_PUT_ANSWER, read=_first)
_FORGET_ANSWERS = Statement("DELETE FROM answers WHERE created_at < ?", _count, writes=True)

_ADD_TIMER = Statement(
    "INSERT OR REPLACE INTO timers (id, owner, due_at, kind, label, language, created_at, duration_s) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    _nothing,
    writes=True,
)
_REMOVE_TIMER = Statement("DELETE FROM timers WHERE owner = ? AND id = ?", _any, writes=True)
_TIMERS_OF = Statement(
    "SELECT id, owner, due_at, kind, label, language, created_at, duration_s FROM timers "
    "WHERE owner = ? ORDER BY due_at, created_at, id",
    _timers,
    writes=False,
)
_TIMERS_DUE = Statement(
    "SELECT id, owner, due_at, kind, label, language, created_at, duration_s FROM timers "
    "WHERE due_at <= ?1 AND (?3 = '' OR kind = ?3) ORDER BY due_at, created_at, id LIMIT ?2",
    _timers,
    writes=False,
)

_LIST_ITEMS = Statement(
    "SELECT item FROM list_items WHERE owner = ? AND name = ? ORDER BY position", _texts, writes=False
)
_ADD_ITEM = Statement("INSERT INTO list_items (owner, name, item) VALUES (?, ?, ?)", _nothing, writes=True)
_REMOVE_ITEM = Statement(
    "DELETE FROM list_items WHERE position = "
    "(SELECT min(position) FROM list_items WHERE owner = ? AND name = ? AND item = ?)",
    _any,
    writes=True,
)
_CLEAR_LIST = Statement("DELETE FROM list_items WHERE owner = ? AND name = ?", _count, writes=True)

_LIST_NAMES = Statement(
    "SELECT name FROM list_items WHERE owner = ? GROUP BY name ORDER BY min(position)", _texts, writes=False
)

_APPEND_ENTRY = Statement(
    "INSERT INTO dialogue (session_id, role, content, created_at) VALUES (?, ?, ?, ?)", _nothing, writes=True
)
_TRIM_DIALOGUE = Statement(
    "DELETE FROM dialogue WHERE session_id = ? AND position <= "
    "(SELECT position FROM dialogue WHERE session_id = ? ORDER BY position DESC LIMIT 1 OFFSET ?)",
    _nothing,
    writes=True,
)
_LOAD_DIALOGUE = Statement(
    "SELECT role, content, created_at FROM dialogue WHERE session_id = ? ORDER BY position DESC LIMIT ?",
    _entries_newest_first,
    writes=False,
)
_FORGET_DIALOGUE = Statement("DELETE FROM dialogue WHERE session_id = ?", _nothing, writes=True)
_FORGET_ENTRIES = Statement("DELETE FROM dialogue WHERE created_at < ?", _count, writes=True)


class _Answers:
    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread

    async def get(self, owner: str, chat_id: str) -> Answer | None:
        found: Answer | None = await self._thread.do(_GET_ANSWER, owner, chat_id)
        return found

    async def put(self, answer: Answer) -> None:
        await self._thread.do(_PUT_ANSWER, *astuple(answer))

    async def forget_before(self, created_at: float) -> int:
        gone: int = await self._thread.do(_FORGET_ANSWERS, created_at)
        return gone


class _Timers:
    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread

    async def add(self, timer: Timer) -> None:
        await self._thread.do(_ADD_TIMER, *astuple(timer))

    async def remove(self, owner: str, timer_id: str) -> bool:
        removed: bool = await self._thread.do(_REMOVE_TIMER, owner, timer_id)
        return removed

    async def of(self, owner: str) -> Sequence[Timer]:
        found: Sequence[Timer] = await self._thread.do(_TIMERS_OF, owner)
        return found

    async def due(self, before: float, limit: int = 100, kind: str = "") -> Sequence[Timer]:
        found: Sequence[Timer] = await self._thread.do(_TIMERS_DUE, before, limit, kind)
        return found


class _Lists:
    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread

    async def items(self, owner: str, name: str) -> Sequence[str]:
        found: Sequence[str] = await self._thread.do(_LIST_ITEMS, owner, name)
        return found

    async def add(self, owner: str, name: str, item: str) -> None:
        await self._thread.do(_ADD_ITEM, owner, name, item)

    async def remove(self, owner: str, name: str, item: str) -> bool:
        removed: bool = await self._thread.do(_REMOVE_ITEM, owner, name, item)
        return removed

    async def clear(self, owner: str, name: str) -> int:
        gone: int = await self._thread.do(_CLEAR_LIST, owner, name)
        return gone

    async def names(self, owner: str) -> Sequence[str]:
        found: Sequence[str] = await self._thread.do(_LIST_NAMES, owner)
        return found


class _Dialogues:
    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread

    async def append(self, session_id: str, entries: Sequence[DialogueEntry]) -> None:
        steps: list[Step] = [(_APPEND_ENTRY, (session_id, *astuple(entry))) for entry in entries]
        await self._thread.do_all([*steps, (_TRIM_DIALOGUE, (session_id, session_id, DIALOGUE_ENTRIES))])

    async def load(self, session_id: str, limit: int = 50) -> Sequence[DialogueEntry]:
        found: Sequence[DialogueEntry] = await self._thread.do(_LOAD_DIALOGUE, session_id, limit)
        return found

    async def forget(self, session_id: str) -> None:
        await self._thread.do(_FORGET_DIALOGUE, session_id)

    async def forget_before(self, created_at: float) -> int:
        gone: int = await self._thread.do(_FORGET_ENTRIES, created_at)
        return gone
