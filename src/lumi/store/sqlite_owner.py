"""All that the SQLite file holds of one owner, to be handed out or deleted, also while a server uses it.

It goes by the schema: a row belongs to whom its `owner` or `device_id` names, or to the owner of its `session_id`. A
table of which that cannot be told is an error, so that no new one is forgotten.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from lumi.errors import StoreError
from lumi.store.sqlite_file import open_file, store_error

BY_COLUMN = ("owner", "device_id")
BY_TABLE = {"devices": "id"}
SESSION = "session_id"
OF_THEIR_SESSIONS = "session_id IN (SELECT id FROM sessions WHERE owner = ?)"
NOT_HANDED_OUT = {"code", "challenge"}
"""What would let somebody else in."""


def export(path: Path, owner: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Every row of an owner by table, tables without one left out; what is no text or number is in base64.

    Raises:
        StoreError: there is no store at `path`, or it cannot be read.
    """
    with closing(_open(path)) as connection:
        try:
            connection.execute("BEGIN")  # one moment for all tables
            found = {table: _rows(connection, table, where, owner) for table, where in _tables(connection)}
        except sqlite3.Error as error:
            raise store_error(path, error) from error
    return {table: rows for table, rows in found.items() if rows}


def delete(path: Path, owner: str) -> Mapping[str, int]:
    """Delete every row of an owner, all or none, and what the file still holds of them; how many went, by table.

    Raises:
        StoreError: there is no store at `path`, or it cannot be written.
    """
    with closing(_open(path)) as connection:
        try:
            connection.execute("PRAGMA secure_delete = ON")  # overwrite, not only forget where it was
            connection.execute("BEGIN IMMEDIATE")
            # Sessions last: other rows are found by them.
            tables = sorted(_tables(connection), key=lambda table: table[0] == "sessions")
            gone = {
                table: connection.execute(f"DELETE FROM {table} WHERE {where}", (owner,)).rowcount  # noqa: S608 - of our schema
                for table, where in tables
            }
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise store_error(path, error) from error
    return {table: count for table, count in gone.items() if count}


def _open(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise StoreError(f"there is no store at {path}: --data-dir names the directory of another")
    return open_file(path)


def _tables(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Each table, and what finds an owner's rows in it."""
    named = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return [(name, _where(name, _columns(connection, name))) for (name,) in named.fetchall()]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _where(table: str, columns: Sequence[str]) -> str:
    if table in BY_TABLE:
        return f"{BY_TABLE[table]} = ?"
    for column in BY_COLUMN:
        if column in columns:
            return f"{column} = ?"
    if SESSION in columns:
        return OF_THEIR_SESSIONS
    raise StoreError(f"whose the rows of the table {table} are is not known to this Lumi: nothing was done")


def _rows(connection: sqlite3.Connection, table: str, where: str, owner: str) -> list[dict[str, Any]]:
    names = [name for name in _columns(connection, table) if name not in NOT_HANDED_OUT]
    cursor = connection.execute(f"SELECT {', '.join(names)} FROM {table} WHERE {where}", (owner,))  # noqa: S608 - of our schema
    return [dict(zip(names, map(_plain, row), strict=True)) for row in cursor]


def _plain(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(value).decode()
