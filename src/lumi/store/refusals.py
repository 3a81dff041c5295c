"""What a store will not keep, in words: the same from every store."""

from __future__ import annotations

from lumi.errors import StoreError
from lumi.store.base import SessionRecord, StoredEvent


def no_such_session(event: StoredEvent) -> StoreError:
    return StoreError(
        f"event {event.seq} belongs to session {event.session_id!r}, which is not kept (any more): save it first"
    )


def number_used(event: StoredEvent, free_from: int) -> StoreError:
    return StoreError(
        f"event {event.seq} of session {event.session_id!r} would not be its next: numbers only grow, and from "
        f"{free_from} on they are free; does another server hold this session?"
    )


def anothers_session(record: SessionRecord) -> StoreError:
    return StoreError(
        f"session {record.id!r} belongs to another owner than {record.owner!r}: give it an id of its own"
    )
