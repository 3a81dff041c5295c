"""Whose rows the SQLite file holds, and all of one owner, to be handed out or deleted, also while a server uses it.

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


def owners(path: Path) -> Mapping[str, Mapping[str, int]]:
    """How many rows there are of each owner, by table.

    Raises:
        StoreError: there is no store at `path`, or it cannot be read.
    """
    found: dict[str, dict[str, int]] = {}
    with closing(_open(path)) as connection:
        try:
            connection.execute("BEGIN")  # one moment for all tables
            for table, column in _columns_that_name(connection):
                for owner, count in connection.execute(_counting(table, column)):
                    found.setdefault(owner, {})[table] = count
        except sqlite3.Error as error:
            raise store_error(path, error) from error
    return dict(sorted(found.items()))


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
    return [
        (table, OF_THEIR_SESSIONS if column is None else f"{column} = ?")
        for table, column in _columns_that_name(connection)
    ]


def _columns_that_name(connection: sqlite3.Connection) -> list[tuple[str, str | None]]:
    """Each table, and its column that names the owner; None: its rows belong to sessions."""
    named = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return [(name, _column(name, _columns(connection, name))) for (name,) in named.fetchall()]


def _counting(table: str, column: str | None) -> str:
    if column is not None:
        return f"SELECT {column}, count(*) FROM {table} GROUP BY 1"  # noqa: S608 - of our schema
    joined = f"{table} JOIN sessions ON sessions.id = {table}.{SESSION}"
    return f"SELECT sessions.owner, count(*) FROM {joined} GROUP BY 1"  # noqa: S608 - of our schema


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _column(table: str, columns: Sequence[str]) -> str | None:
    if table in BY_TABLE:
        return BY_TABLE[table]
    for column in BY_COLUMN:
        if column in columns:
            return column
    if SESSION in columns:
        return None
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
