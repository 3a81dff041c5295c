"""The store in memory: for tests, and for a server that need not remember. The contract is `store/base.py`'s."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from lumi.errors import StoreError
from lumi.store.base import DIALOGUE_ENTRIES, Answer, DialogueEntry, StoredEvent, Timer
from lumi.store.memory_acts import MemoryActs
from lumi.store.memory_devices import MemoryDevices, MemoryPairings
from lumi.store.memory_sessions import MemoryEvents, MemorySessions


class _Lifetime:
    """Shared by the parts of one store."""

    def __init__(self) -> None:
        self.closed = False

    def check(self) -> None:
        if self.closed:
            raise StoreError("the store is closed: open it again before using it")


class MemoryStore:
    """One of each; what it holds ends with it."""

    def __init__(self) -> None:
        self._lifetime = _Lifetime()
        self.answers = _Answers(self._lifetime)
        self.acts = MemoryActs(self._lifetime.check)
        self.timers = _Timers(self._lifetime)
        self.lists = _Lists(self._lifetime)
        self.dialogues = _Dialogues(self._lifetime)
        self.sessions = MemorySessions(self._lifetime.check, self.dialogues.drop)
        self.events = MemoryEvents(self._lifetime.check, self.sessions)
        self.devices = MemoryDevices(self._lifetime.check)
        self.pairings = MemoryPairings(self._lifetime.check)

    async def commit(self, *, answer: Answer | None = None, event: StoredEvent | None = None) -> bool:
        self._lifetime.check()
        if answer is not None and self.answers.knows(answer):
            return False
        if event is not None:  # first: it may be refused
            self.events.add(event)
        if answer is not None:
            self.answers.add(answer)
        return True

    async def aclose(self) -> None:
        self._lifetime.closed = True


class _Answers:
    def __init__(self, lifetime: _Lifetime) -> None:
        self._lifetime = lifetime
        self._by_key: dict[tuple[str, str], Answer] = {}

    async def get(self, owner: str, chat_id: str) -> Answer | None:
        self._lifetime.check()
        return self._by_key.get((owner, chat_id))

    async def put(self, answer: Answer) -> None:
        self._lifetime.check()
        self.add(answer)

    def knows(self, answer: Answer) -> bool:
        return (answer.owner, answer.chat_id) in self._by_key

    def add(self, answer: Answer) -> None:
        self._by_key.setdefault((answer.owner, answer.chat_id), answer)

    async def forget_before(self, created_at: float) -> int:
        self._lifetime.check()
        old = [key for key, answer in self._by_key.items() if answer.created_at < created_at]
        for key in old:
            del self._by_key[key]
        return len(old)


class _Timers:
    def __init__(self, lifetime: _Lifetime) -> None:
        self._lifetime = lifetime
        self._by_key: dict[tuple[str, str], Timer] = {}

    async def add(self, timer: Timer) -> None:
        self._lifetime.check()
        self._by_key[timer.owner, timer.id] = timer

    async def remove(self, owner: str, timer_id: str) -> bool:
        self._lifetime.check()
        return self._by_key.pop((owner, timer_id), None) is not None

    async def of(self, owner: str) -> Sequence[Timer]:
        self._lifetime.check()
        return sorted((timer for timer in self._by_key.values() if timer.owner == owner), key=_soonest)

    async def due(self, before: float, limit: int = 100, kind: str = "") -> Sequence[Timer]:
        self._lifetime.check()
        due = [
            timer
            for timer in self._by_key.values()
            if timer.due_at <= before and (not kind or timer.kind == kind)
        ]
        return sorted(due, key=_soonest)[:limit]


def _soonest(timer: Timer) -> tuple[float, float, str]:
    return timer.due_at, timer.created_at, timer.id


class _Lists:
    def __init__(self, lifetime: _Lifetime) -> None:
        self._lifetime = lifetime
        self._by_key: dict[tuple[str, str], list[str]] = {}

    async def items(self, owner: str, name: str) -> Sequence[str]:
        self._lifetime.check()
        return tuple(self._by_key.get((owner, name), ()))

    async def add(self, owner: str, name: str, item: str) -> None:
        self._lifetime.check()
        self._by_key.setdefault((owner, name), []).append(item)

    async def remove(self, owner: str, name: str, item: str) -> bool:
        self._lifetime.check()
        items = self._by_key.get((owner, name), [])
        if item not in items:
            return False
        items.remove(item)
        if not items:
            del self._by_key[owner, name]
        return True

    async def clear(self, owner: str, name: str) -> int:
        self._lifetime.check()
        return len(self._by_key.pop((owner, name), ()))

    async def names(self, owner: str) -> Sequence[str]:
        self._lifetime.check()
        return tuple(name for (whose, name), items in self._by_key.items() if whose == owner and items)


class _Dialogues:
    def __init__(self, lifetime: _Lifetime) -> None:
        self._lifetime = lifetime
        self._by_session: dict[str, deque[DialogueEntry]] = {}

    async def append(self, session_id: str, entries: Sequence[DialogueEntry]) -> None:
        self._lifetime.check()
        self._by_session.setdefault(session_id, deque(maxlen=DIALOGUE_ENTRIES)).extend(entries)

    async def load(self, session_id: str, limit: int = 50) -> Sequence[DialogueEntry]:
        self._lifetime.check()
        newest_first = islice(reversed(self._by_session.get(session_id, deque())), limit)
        return tuple(reversed(tuple(newest_first)))

    async def forget(self, session_id: str) -> None:
        self._lifetime.check()
        self.drop(session_id)

    async def forget_before(self, created_at: float) -> int:
        self._lifetime.check()
        gone = 0
        for session_id, entries in list(self._by_session.items()):
            kept = [entry for entry in entries if entry.created_at >= created_at]
            gone += len(entries) - len(kept)
            if kept:
                self._by_session[session_id] = deque(kept, maxlen=DIALOGUE_ENTRIES)
            else:
                self.drop(session_id)
        return gone

    def drop(self, session_id: str) -> None:
        self._by_session.pop(session_id, None)
