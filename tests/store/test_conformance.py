"""Every store keeps the contract of `store/base.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lumi.store.base import Store
from lumi.store.memory import MemoryStore
from lumi.store.sqlite import SqliteStore
from lumi.testing.stores import StoreConformance


class TestMemory(StoreConformance):
    @asynccontextmanager
    async def open_store(self, place: Path) -> AsyncIterator[Store]:
        store = MemoryStore()
        try:
            yield store
        finally:
            await store.aclose()


class TestSqlite(StoreConformance):
    """In virtual time: the store's thread counts as busy."""

    durable = True

    @asynccontextmanager
    async def open_store(self, place: Path) -> AsyncIterator[Store]:
        store = await SqliteStore.open(place / "lumi.db")
        try:
            yield store
        finally:
            await store.aclose()


@pytest.mark.real
class TestSqliteInRealTime(TestSqlite):
    """And on the loop that servers use."""
