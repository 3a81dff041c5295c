"""Sessions and their events in memory: the part of `MemoryStore` by which a client comes back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from lumi.store.base import EVENTS_KEPT, SessionRecord, StoredEvent
from lumi.store.refusals import anothers_session, no_such_session, number_used


@dataclass(slots=True)
class Kept:
    """A session, and its unacknowledged events by number, in order."""

    record: SessionRecord
    events: dict[int, StoredEvent] = field(default_factory=dict)

    @property
    def free_from(self) -> int:
        """No event had this number or a greater one."""
        return 1 + max(self.record.acknowledged, next(reversed(self.events), 0))

    def let_go(self, seq: int) -> None:
        """Of all events up to `seq`."""
        acknowledged = max(self.record.acknowledged, seq)
        next_seq = max(self.record.next_seq, seq + 1)
        self.record = replace(self.record, acknowledged=acknowledged, next_seq=next_seq)
        for number in list(takewhile(lambda number: number <= acknowledged, self.events)):
            del self.events[number]


class MemorySessions:
    """All sessions of one store.

    Args:
        check: raises when the store is closed.
        drop_dialogue: forgets a session's dialogue.
    """

    def __init__(self, check: Callable[[], None], drop_dialogue: Callable[[str], None]) -> None:
        self._check = check
        self._drop_dialogue = drop_dialogue
        self._kept: dict[str, Kept] = {}

    async def save(self, record: SessionRecord) -> None:
        self._check()
        kept = self._kept.get(record.id)
        if kept is None:
            self._kept[record.id] = Kept(record)
            return
        if kept.record.owner != record.owner:
            raise anothers_session(record)
        kept.record = replace(
            record,
            created_at=kept.record.created_at,
            next_seq=max(kept.record.next_seq, record.next_seq),
            acknowledged=kept.record.acknowledged,
        )
        kept.let_go(record.acknowledged)

    async def load(self, owner: str, session_id: str) -> SessionRecord | None:
        self._check()
        kept = self._kept.get(session_id)
        return kept.record if kept is not None and kept.record.owner == owner else None

    async def touch(self, session_id: str, seen_at: float) -> bool:
        self._check()
        kept = self._kept.get(session_id)
        if kept is None:
            return False
        kept.record = replace(kept.record, seen_at=seen_at)
        return True

    async def delete(self, session_id: str, *, seen_before: float = math.inf) -> bool:
        self._check()
        kept = self._kept.get(session_id)
        if kept is not None and kept.record.seen_at >= seen_before:
            return False
        self._drop_dialogue(session_id)
        return self._kept.pop(session_id, None) is not None

    async def expired(self, before: float, limit: int = 1_000) -> Sequence[str]:
        self._check()
        old = [kept.record for kept in self._kept.values() if kept.record.seen_at < before]
        return [record.id for record in sorted(old, key=lambda record: (record.seen_at, record.id))[:limit]]

    def kept(self, session_id: str) -> Kept | None:
        return self._kept.get(session_id)


class MemoryEvents:
    """The events of these sessions.

    Args:
        check: raises when the store is closed.
        sessions: whose events they are.
    """

    def __init__(self, check: Callable[[], None], sessions: MemorySessions) -> None:
        self._check = check
        self._sessions = sessions

    async def append(self, event: StoredEvent) -> None:
        self._check()
        self.add(event)

    def add(self, event: StoredEvent) -> None:
        """As `append`, for an open store."""
        kept = self._sessions.kept(event.session_id)
        if kept is None:
            raise no_such_session(event)
        if event.seq < kept.free_from:
            raise number_used(event, kept.free_from)
        kept.record = replace(kept.record, next_seq=max(kept.record.next_seq, event.seq + 1))
        kept.events[event.seq] = event
        kept.let_go(event.seq - EVENTS_KEPT)

    async def after(self, session_id: str, seq: int) -> Sequence[StoredEvent]:
        self._check()
        kept = self._sessions.kept(session_id)
        return [event for number, event in kept.events.items() if number > seq] if kept else []

    async def acknowledge(self, session_id: str, seq: int) -> None:
        self._check()
        kept = self._sessions.kept(session_id)
        if kept is not None:
            kept.let_go(seq)

    async def count(self, session_id: str) -> int:
        self._check()
        kept = self._sessions.kept(session_id)
        return len(kept.events) if kept else 0

    async def forget(self, session_id: str) -> None:
        self._check()
        kept = self._sessions.kept(session_id)
        if kept is not None:
            kept.let_go(kept.record.next_seq - 1)
