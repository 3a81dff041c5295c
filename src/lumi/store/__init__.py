"""What must outlive a connection or a process: one small seam each; bytes and records of its own, no wire types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lumi.errors import StoreError

if TYPE_CHECKING:
    from lumi.store.base import Store

__all__ = ["open_store"]

ACCEPTED = "memory:, sqlite:PATH, or a path"


async def open_store(where: str | Path) -> Store:
    """Open a store: `memory:`, `sqlite:PATH`, or a path (of an SQLite file).

    Raises:
        StoreError: it cannot be opened; the message names the mend.
    """
    scheme, rest = _split(where)
    if scheme == "memory":
        from lumi.store.memory import MemoryStore

        return MemoryStore()
    if scheme == "sqlite" and rest:
        from lumi.store.sqlite import SqliteStore

        return await SqliteStore.open(rest)
    raise StoreError(f"{str(where)!r} is no store Lumi knows: give {ACCEPTED}")


def _split(where: str | Path) -> tuple[str, str]:
    scheme, colon, rest = str(where).partition(":")
    if (
        isinstance(where, Path) or not colon or not scheme.isalpha() or len(scheme) == 1
    ):  # one letter: C:\lumi.db
        return "sqlite", str(where)
    return scheme.lower(), rest.removeprefix("//") if rest.startswith("///") else rest
