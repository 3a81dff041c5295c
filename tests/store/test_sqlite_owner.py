"""Nothing of an owner is left in any table, and nothing of another is touched; a new table cannot be forgotten."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lumi.errors import StoreError
from lumi.store.sqlite_file import open_file
from lumi.store.sqlite_owner import delete, export, owners

MINE, OTHERS = "mine-device", "others-device"


def columns(connection: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    return [(row[1], row[2]) for row in connection.execute(f"PRAGMA table_info({table})")]


def tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return [name for (name,) in rows]


def value(owner: str, table: str, column: str, kind: str) -> Any:
    """Something for a column: the owner where it names one, else what tells whose it is."""
    if column in {"owner", "device_id"} or (table, column) == ("devices", "id"):
        return owner
    if column == "session_id" or (table, column) == ("sessions", "id"):
        return f"session of {owner}"
    words = f"{column} of {owner}"
    return {"TEXT": words, "BLOB": words.encode(), "REAL": 1.5}.get(kind, 1 if owner == MINE else 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a row of each of two owners in every table that the schema has."""
    file = tmp_path / "lumi.db"
    with closing(open_file(file)) as connection:
        for table in tables(connection):
            for owner in (MINE, OTHERS):
                row = [value(owner, table, *column) for column in columns(connection, table)]
                marks = ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {table} VALUES ({marks})", row)
    return file


def everything(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables(connection)
        }


def test_after_a_delete_nothing_is_left_in_any_table_and_others_keep_all(path: Path):
    before = everything(path)
    gone = delete(path, MINE)
    assert set(gone) == set(before), "every table had a row"
    left = everything(path)
    for table, rows in left.items():
        assert len(rows) == 1, table
        assert rows[0] in before[table]
        assert MINE not in repr(rows[0])
    held = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert MINE.encode() not in held, "not even where it was"
    assert OTHERS.encode() in held
    assert delete(path, MINE) == {}


def test_all_of_one_owner_is_handed_out_and_nothing_of_another(path: Path):
    rows = export(path, MINE)
    assert set(rows) == set(everything(path))
    assert OTHERS not in repr(rows)
    assert rows["answers"][0]["payload"] == f"payload of {MINE}"
    assert "code" not in rows["pairings"][0]
    assert export(path, "nobody") == {}


def test_what_is_no_text_is_in_base64(path: Path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE answers SET payload = ? WHERE owner = ?", (b"\xff", MINE))
        connection.commit()
    assert export(path, MINE)["answers"][0]["payload"] == "base64:/w=="


def test_a_table_whose_rows_are_nobodys_stops_everything(path: Path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    before = everything(path)
    for act in (delete, export):
        with pytest.raises(StoreError, match="the table songs"):
            act(path, MINE)
    assert everything(path) == before


def test_a_file_that_is_not_there_is_not_begun(tmp_path: Path):
    for act in (delete, export):
        with pytest.raises(StoreError, match="there is no store"):
            act(tmp_path / "lumi.db", MINE)
    assert not list(tmp_path.iterdir())


def test_trouble_with_the_file_is_told_with_its_mend(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lumi.store.sqlite_file.BUSY_TIMEOUT_MS", 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program has locked it"):
            delete(path, MINE)


def test_whose_rows_there_are_is_counted_table_by_table(path: Path):
    found = owners(path)
    assert list(found) == [MINE, OTHERS]
    with closing(open_file(path)) as connection:
        assert found[MINE] == dict.fromkeys(tables(connection), 1)
    delete(path, MINE)
    assert list(owners(path)) == [OTHERS]
    with pytest.raises(StoreError, match="there is no store"):
        owners(path.with_name("none.db"))
