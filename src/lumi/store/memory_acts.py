"""Acts in memory: the part of `MemoryStore` that keeps tools from doing a thing twice."""

from __future__ import annotations

from collections.abc import Callable

from lumi.store.base import Act


class MemoryActs:
    """`check` raises StoreError when the store is closed."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._by_key: dict[tuple[str, str, str], Act] = {}

    async def begin(self, act: Act) -> Act | None:
        self._check()
        known = self._by_key.get(_key(act))
        if known is None:
            self._by_key[_key(act)] = act
        return known

    async def finish(self, act: Act) -> None:
        self._check()
        self._by_key[_key(act)] = act

    async def drop(self, act: Act) -> None:
        self._check()
        self._by_key.pop(_key(act), None)

    async def forget_before(self, created_at: float) -> int:
        self._check()
        old = [key for key, act in self._by_key.items() if act.created_at < created_at]
        for key in old:
            del self._by_key[key]
        return len(old)


def _key(act: Act) -> tuple[str, str, str]:
    return act.owner, act.turn_id, act.digest
