"""Acts in the SQLite file: what tools were asked to do, kept before it is done."""

from __future__ import annotations

import sqlite3
from dataclasses import astuple

from lumi.store.base import Act
from lumi.store.sqlite_thread import SqliteThread, Statement


def _began(cursor: sqlite3.Cursor) -> bool:
    return cursor.rowcount > 0


def _act(cursor: sqlite3.Cursor) -> Act | None:
    row = cursor.fetchone()
    return None if row is None else Act(*row)


def _count(cursor: sqlite3.Cursor) -> int:
    return cursor.rowcount


_BEGIN = Statement(
    "INSERT INTO acts (owner, turn_id, digest, created_at, result) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    _began,
    writes=True,
)
_KNOWN = Statement(
    "SELECT owner, turn_id, digest, created_at, result FROM acts WHERE owner = ? AND turn_id = ? AND digest = ?",
    _act,
    writes=False,
)
_FINISH = Statement(
    "INSERT OR REPLACE INTO acts (owner, turn_id, digest, created_at, result) VALUES (?, ?, ?, ?, ?)",
    _count,
    writes=True,
)
_DROP = Statement(
    "DELETE FROM acts WHERE owner = ? AND turn_id = ? AND digest = ?",
    _count,
    writes=True,
)
_FORGET = Statement("DELETE FROM acts WHERE created_at < ?", _count, writes=True)


class SqliteActs:
    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread

    async def begin(self, act: Act) -> Act | None:
        while True:
            if await self._thread.do(_BEGIN, *astuple(act)):
                return None
            known: Act | None = await self._thread.do(_KNOWN, act.owner, act.turn_id, act.digest)
            if known is not None:  # else it was dropped in between
                return known

    async def finish(self, act: Act) -> None:
        await self._thread.do(_FINISH, *astuple(act))

    async def drop(self, act: Act) -> None:
        await self._thread.do(_DROP, act.owner, act.turn_id, act.digest)

    async def forget_before(self, created_at: float) -> int:
        gone: int = await self._thread.do(_FORGET, created_at)
        return gone
