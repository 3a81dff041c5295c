"""What was said and not yet answered: kept in order, on disk where a path is given, until the answer has come."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from lumi.client.queue_file import QueueFile, Row
from lumi.client.voice_notes import VoiceNote
from lumi.errors import LocalProtocolError, Overloaded, StoreError
from lumi.protocol.messages import Chat

MAX_AGE_S = 12 * 3600.0
"""Half of what a server keeps its answers for: a message sent again within it is never answered anew."""

LIMIT = 1_000
MAX_BYTES = 32 * 1024 * 1024
"""Of all payloads together: some hundred long voice notes."""

Queueable = Chat | VoiceNote

_CODERS: dict[str, type[Queueable]] = {"chat": Chat, "note": VoiceNote}
_KINDS: dict[type, str] = {kind: name for name, kind in _CODERS.items()}

_log = logging.getLogger("lumi.client.queue")


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """One message that waits. `timestamp` is when it was said (UNIX seconds), `retry_count` how often it has failed
    to go out since the queue was last processed.
    """

    id: str
    message: Queueable
    timestamp: float
    retry_count: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    queued: QueuedMessage
    size_bytes: int
    since_s: float | None
    """The loop's time when it was queued; None if another process did so."""


class OfflineQueue:
    """Used as `async with`, in one event loop.

    Bounds: `limit` messages and `max_bytes` of them. Policy when full: the new message is refused aloud
    (`Overloaded`), the old ones stay. Those older than `max_age_s` are handed back by `take_expired`, never dropped
    in silence. A file belongs to one process at a time.

    Args:
        path: the file; None keeps everything in memory, for as long as this object lives.
        limit: how many messages may wait.
        max_bytes: how large they may be together.
        max_age_s: how long they may wait.
        wall_clock: UNIX seconds. A clock that is set forward ages only what another process has queued.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        *,
        limit: int = LIMIT,
        max_bytes: int = MAX_BYTES,
        max_age_s: float = MAX_AGE_S,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = None if path is None else QueueFile(Path(path))
        self._limit = limit
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._wall_clock = wall_clock
        self._entries: dict[str, _Entry] = {}
        self._storing: dict[str, int] = {}
        """Messages on their way to the disk, with their sizes."""
        self._gone: dict[str, None] = {}
        """Removed here, and perhaps still in the file."""

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def open(self) -> None:
        """Take the file and what it holds.

        Raises:
            StoreError: it cannot be used (says why and what helps), or another process uses it.
        """
        if self._file is None:
            return
        rows = await self._file.open()
        try:
            self._entries = {row.id: _loaded(self._file.path, row) for row in rows}
        except StoreError:
            await self._file.aclose()
            raise

    async def aclose(self) -> None:
        """Let go of the file; what waits stays in it."""
        if self._file is not None:
            await self._clear_gone()
            await self._file.aclose()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._entries

    @property
    def size_bytes(self) -> int:
        """Of all payloads, those being stored included."""
        return sum(entry.size_bytes for entry in self._entries.values()) + sum(self._storing.values())

    def messages(self) -> tuple[QueuedMessage, ...]:
        """All, in the order in which they were said."""
        return tuple(entry.queued for entry in self._entries.values())

    def first(self, *, without: Collection[str] = ()) -> QueuedMessage | None:
        """The oldest that is not among `without`."""
        return next((entry.queued for one, entry in self._entries.items() if one not in without), None)

    async def add(self, message: Queueable) -> QueuedMessage:
        """Keep a message; on disk for good when it returns. One that is there already stays where it is.

        Raises:
            Overloaded: the queue is full.
            StoreError: the disk would not take it.
            LocalProtocolError: its id is taken by another message.
        """
        known = self._entries.get(message.id)
        if known is not None and _same(known.queued.message, message):
            return known.queued
        if known is not None or message.id in self._storing:
            raise LocalProtocolError(f"a message with the id {message.id!r} waits already: give each its own")
        payload = msgspec.msgpack.encode(message)
        self._check_room(len(payload))
        queued = QueuedMessage(message.id, message, self._wall_clock())
        self._storing[message.id] = len(payload)
        try:
            await self._store(Row(message.id, _KINDS[type(message)], payload, queued.timestamp))
        except asyncio.CancelledError:
            self._gone[message.id] = None  # who said it has gone away: it must not go out after a restart
            raise
        finally:
            del self._storing[message.id]
        self._entries[message.id] = _Entry(queued, len(payload), asyncio.get_running_loop().time())
        return queued

    async def remove(self, message_id: str) -> bool:
        """Forget a message: it was answered, or nobody wants it any longer. False if it is not here.

        A disk that fails now costs nothing: the row is removed with the next write, or the message sent once more
        after a restart and answered from the server's store.
        """
        if self._entries.pop(message_id, None) is None:
            return False
        if self._file is not None:
            self._gone[message_id] = None
            await self._clear_gone()
        return True

    async def take_expired(self, *, without: Collection[str] = ()) -> list[QueuedMessage]:
        """Remove and hand back those that waited longer than `max_age_s`, oldest first; not those in `without`."""
        old = [
            entry.queued
            for one, entry in self._entries.items()
            if one not in without and self._age_s(entry) > self._max_age_s
        ]
        for queued in old:
            await self.remove(queued.id)
        return old

    def count_retry(self, message_id: str) -> int:
        """One more attempt has failed; returns how many have. 0 if the message is not here."""
        entry = self._entries.get(message_id)
        if entry is None:
            return 0
        count = entry.queued.retry_count + 1
        self._entries[message_id] = replace(entry, queued=replace(entry.queued, retry_count=count))
        return count

    def reset_retries(self) -> None:
        """The queue is about to be processed: every message starts anew."""
        for one, entry in self._entries.items():
            if entry.queued.retry_count:
                self._entries[one] = replace(entry, queued=replace(entry.queued, retry_count=0))

    def _age_s(self, entry: _Entry) -> float:
        age_s = self._wall_clock() - entry.queued.timestamp
        if entry.since_s is None:
            return age_s
        return min(age_s, asyncio.get_running_loop().time() - entry.since_s)

    def _check_room(self, size_bytes: int) -> None:
        waiting = len(self._entries) + len(self._storing)
        if waiting >= self._limit:
            raise Overloaded(
                f"{waiting} messages wait for a connection already: this one was not kept; "
                "say it again when some have been sent"
            )
        if self.size_bytes + size_bytes > self._max_bytes:
            raise Overloaded(
                f"messages of {self._max_bytes / 2**20:g} MiB wait for a connection already: this one was not kept; "
                "say it again when some have been sent"
            )

    async def _store(self, row: Row) -> None:
        if self._file is None:
            return
        gone = [one for one in self._gone if one not in self._storing or one == row.id]
        await self._file.write([row], gone)
        self._forget(gone)

    async def _clear_gone(self) -> None:
        """Remove from the file what is gone from here."""
        gone = [one for one in self._gone if one not in self._storing]
        if self._file is None or not gone:
            return
        try:
            await self._file.write([], gone)
        except StoreError as error:
            _log.warning("%s; %d answered messages stay in it for now", error, len(gone))
            return
        self._forget(gone)

    def _forget(self, gone: list[str]) -> None:
        for one in gone:
            self._gone.pop(one, None)


def _same(one: Queueable, other: Queueable) -> bool:
    """Whether the server would take both for the same: content counts, not when and in which session it was said."""
    if isinstance(one, Chat) and isinstance(other, Chat):
        return one.content == other.content
    return one == other


def _loaded(path: Path, row: Row) -> _Entry:
    try:
        message: Queueable = msgspec.msgpack.decode(row.payload, type=_CODERS[row.kind])
    except (KeyError, msgspec.DecodeError) as error:
        raise StoreError(
            f"the message queue {path}: message {row.id} in it is damaged: move the file away and a new one is begun"
        ) from error
    return _Entry(QueuedMessage(row.id, message, row.queued_at), len(row.payload), None)
