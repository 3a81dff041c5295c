from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lumi.errors import StoreError
from lumi.store import open_store
from lumi.store.memory import MemoryStore
from lumi.store.sqlite import SqliteStore


async def test_memory() -> None:
    assert isinstance(await open_store("memory:"), MemoryStore)


@pytest.mark.parametrize("form", ["{path}", "sqlite:{path}", "sqlite://{path}", "SQLITE:{path}"])
async def test_sqlite_by_url_or_path(tmp_path: Path, form: str) -> None:
    path = tmp_path / "lumi.db"
    store = await open_store(form.format(path=path))
    assert isinstance(store, SqliteStore)
    await store.aclose()
    assert path.exists()


async def test_sqlite_by_path_object_even_with_a_colon_in_it(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "memory:")
    await store.aclose()
    assert (tmp_path / "memory:").exists()


@pytest.mark.parametrize("where", ["redis://localhost", "sqlite:", ""])
async def test_anything_else_is_refused_with_what_is_accepted(where: str) -> None:
    with pytest.raises(StoreError, match="give memory:, sqlite:PATH, or a path"):
        await open_store(where)


@pytest.mark.real
def test_importing_the_room_loads_no_store() -> None:
    program = "import sys, lumi.store; print([m for m in ('sqlite3', 'asyncio', 'lumi.store.sqlite') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "src"},
        timeout=60,
    )
    assert done.stdout.strip() == "[]"
