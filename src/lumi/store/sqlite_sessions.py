"""Sessions and their events in SQLite: the part of `SqliteStore` by which a client comes back."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import astuple

from lumi.store.base import EVENTS_KEPT, SessionRecord, StoredEvent
from lumi.store.refusals import anothers_session, no_such_session, number_used
from lumi.store.sqlite_thread import SqliteThread, Statement, Step


def _nothing(_: sqlite3.Cursor) -> None:
    return None


def _any(cursor: sqlite3.Cursor) -> bool:
    return cursor.rowcount > 0


def _number(cursor: sqlite3.Cursor) -> int:
    return int(cursor.fetchone()[0])


def _record(cursor: sqlite3.Cursor) -> SessionRecord | None:
    row = cursor.fetchone()
    return None if row is None else SessionRecord(*row)


def _ids(cursor: sqlite3.Cursor) -> tuple[str, ...]:
    return tuple(name for (name,) in cursor)


def _events(cursor: sqlite3.Cursor) -> tuple[StoredEvent, ...]:
    return tuple(StoredEvent(*row) for row in cursor)


_SAVE = (
    "INSERT INTO sessions (id, owner, created_at, seen_at, acknowledged, next_seq, state) "
    "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, "
    "acknowledged = max(acknowledged, excluded.acknowledged), next_seq = max(next_seq, excluded.next_seq), "
    "state = excluded.state WHERE owner = excluded.owner"
)
_LOAD = Statement(
    "SELECT id, owner, created_at, seen_at, acknowledged, next_seq, state FROM sessions "
    "WHERE id = ? AND owner = ?",
    _record,
    writes=False,
)
_TOUCH = Statement("UPDATE sessions SET seen_at = ? WHERE id = ?", _any, writes=True)
_EXPIRED = Statement(
    "SELECT id FROM sessions WHERE seen_at < ? ORDER BY seen_at, id LIMIT ?", _ids, writes=False
)
_DELETE_EVENTS = Statement(
    "DELETE FROM events WHERE session_id = ? "
    "AND NOT EXISTS (SELECT 1 FROM sessions WHERE id = ? AND seen_at >= ?)",
    _nothing,
    writes=True,
)
_DELETE_DIALOGUE = Statement(
    "DELETE FROM dialogue WHERE session_id = ? "
    "AND NOT EXISTS (SELECT 1 FROM sessions WHERE id = ? AND seen_at >= ?)",
    _nothing,
    writes=True,
)
_DELETE_SESSION = Statement("DELETE FROM sessions WHERE id = ? AND seen_at < ?", _any, writes=True)

_COUNT_UP = (
    "UPDATE sessions SET next_seq = max(next_seq, ? + 1), acknowledged = max(acknowledged, ?) "
    "WHERE id = ? AND acknowledged < ? AND NOT EXISTS (SELECT 1 FROM events WHERE session_id = ? AND seq >= ?)"
)
_FREE_FROM = (
    "SELECT 1 + max(acknowledged, coalesce((SELECT max(seq) FROM events WHERE session_id = sessions.id), 0)) "
    "FROM sessions WHERE id = ?"
)
_APPEND = Statement(
    "INSERT INTO events (session_id, seq, payload, created_at) VALUES (?, ?, ?, ?)", _nothing, writes=True
)
_AFTER = Statement(
    "SELECT session_id, seq, payload, created_at FROM events WHERE session_id = ? AND seq > ? ORDER BY seq",
    _events,
    writes=False,
)
_COUNT = Statement("SELECT count(*) FROM events WHERE session_id = ?", _number, writes=False)
_ACKNOWLEDGE = Statement(
    "UPDATE sessions SET acknowledged = max(acknowledged, ?), next_seq = max(next_seq, ? + 1) WHERE id = ?",
    _nothing,
    writes=True,
)
_ACKNOWLEDGE_ALL = Statement(
    "UPDATE sessions SET acknowledged = next_seq - 1 WHERE id = ?", _nothing, writes=True
)
_DROP = Statement(
    "DELETE FROM events WHERE session_id = ? AND seq <= (SELECT acknowledged FROM sessions WHERE id = ?)",
    _nothing,
    writes=True,
)


def saving(record: SessionRecord) -> list[Step]:
    def mine(cursor: sqlite3.Cursor) -> None:
        if not cursor.rowcount:
            raise anothers_session(record)

    return [(Statement(_SAVE, mine, writes=True), astuple(record)), (_DROP, (record.id, record.id))]


def appending(event: StoredEvent) -> list[Step]:
    """The steps that store an event; they raise StoreError where it does not fit."""

    def counted(cursor: sqlite3.Cursor) -> None:
        if not cursor.rowcount:
            row = cursor.execute(_FREE_FROM, (event.session_id,)).fetchone()
            raise no_such_session(event) if row is None else number_used(event, *row)

    name, seq = event.session_id, event.seq
    last_dropped = seq - EVENTS_KEPT
    count_up = Statement(_COUNT_UP, counted, writes=True)
    steps: list[Step] = [
        (count_up, (seq, last_dropped, name, seq, name, seq)),
        (_APPEND, astuple(event)),
    ]
    if last_dropped > 0:
        steps.append((_DROP, (name, name)))
    return steps


class SqliteSessions:
    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread

    async def save(self, record: SessionRecord) -> None:
        await self._thread.do_all(saving(record))

    async def load(self, owner: str, session_id: str) -> SessionRecord | None:
        found: SessionRecord | None = await self._thread.do(_LOAD, session_id, owner)
        return found

    async def touch(self, session_id: str, seen_at: float) -> bool:
        there: bool = await self._thread.do(_TOUCH, seen_at, session_id)
        return there

    async def delete(self, session_id: str, *, seen_before: float = math.inf) -> bool:
        of_it = (session_id, session_id, seen_before)
        deleted: bool = await self._thread.do_all(
            [(_DELETE_EVENTS, of_it), (_DELETE_DIALOGUE, of_it), (_DELETE_SESSION, (session_id, seen_before))]
        )
        return deleted

    async def expired(self, before: float, limit: int = 1_000) -> Sequence[str]:
        found: Sequence[str] = await self._thread.do(_EXPIRED, before, limit)
        return found


class SqliteEvents:
    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread

    async def append(self, event: StoredEvent) -> None:
        await self._thread.do_all(appending(event))

    async def after(self, session_id: str, seq: int) -> Sequence[StoredEvent]:
        found: Sequence[StoredEvent] = await self._thread.do(_AFTER, session_id, seq)
        return found

    async def acknowledge(self, session_id: str, seq: int) -> None:
        await self._thread.do_all([(_ACKNOWLEDGE, (seq, seq, session_id)), (_DROP, (session_id, session_id))])

    async def count(self, session_id: str) -> int:
        number: int = await self._thread.do(_COUNT, session_id)
        return number

    async def forget(self, session_id: str) -> None:
        await self._thread.do_all([(_ACKNOWLEDGE_ALL, (session_id,)), (_DROP, (session_id, session_id))])
