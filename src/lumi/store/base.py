"""The seams of the store, and its records. Times are UNIX seconds from the wall clock that is passed in.

Every write returns when it is durable. A store that cannot do its work raises `lumi.errors.StoreError`.
`owner` is an identity (a device id): nobody sees another owner's records.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

EVENTS_KEPT = 1_000
"""Of one session: an event takes the place of the one that many numbers before it."""

DIALOGUE_ENTRIES = 1_000
"""Kept of one session; the oldest go first."""

PAIRING_ATTEMPTS = 5
"""Wrong codes after which those that waited meanwhile hold no longer: a million codes, and five tries."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a chat was answered with, so that the same chat is answered the same again."""

    owner: str
    chat_id: str
    question_digest: str
    """Tells the same id with other content."""
    payload: bytes
    created_at: float


@dataclass(frozen=True, slots=True)
class Timer:
    """Something that rings. Kept until it has rung or was cancelled."""

    id: str
    owner: str
    due_at: float
    kind: str
    """`timer`, `reminder`, or `push`: words that somebody sent; then `label` holds them."""
    label: str
    language: str
    created_at: float
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Act:
    """What a tool was asked to do in a turn, so that the same turn, said again, does not do it twice."""

    owner: str
    turn_id: str
    digest: str
    """Tells the tool and its arguments."""
    created_at: float
    result: bytes | None = None
    """None: begun, and nobody knows whether it was done."""


@dataclass(frozen=True, slots=True)
class DialogueEntry:
    role: str
    content: str
    created_at: float


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What a session needs to be taken up again, by whichever server the client comes back to."""

    id: str
    owner: str
    created_at: float
    seen_at: float
    """When a client was last there: the window for coming back begins here."""
    acknowledged: int
    """All events up to this number are gone: acknowledged, or dropped."""
    next_seq: int
    """The number of the next event; the first is 1."""
    state: bytes
    """The server's own words."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """What a client must not miss, kept until it is acknowledged."""

    session_id: str
    seq: int
    payload: bytes
    created_at: float


class DeviceState(StrEnum):
    PENDING = "pending"
    """Known, and not let in (yet)."""
    PAIRED = "paired"
    REVOKED = "revoked"
    """Let in once, and never again unless somebody pairs it anew."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that has been here, and what somebody in the household said about it. Empty texts: nothing said."""

    id: str
    client_id: str = ""
    """The installation on it that was let in; another one with the same `id` is a stranger."""
    name: str = ""
    model: str = ""
    state: DeviceState = DeviceState.PENDING
    tokens_from: int = 0
    """Tokens made before this second are void: how a single device's tokens are taken back."""
    keyed: bool = False
    """It was given a token, and is not let in without one any more."""
    persona: str = ""
    language: str = ""
    voice: str = ""
    first_seen: float = 0.0
    last_seen: float = 0.0


@dataclass(frozen=True, slots=True)
class PairingCode:
    """Six digits that a device shows, so that somebody who sees it can say: let this one in."""

    code: str
    device_id: str
    client_id: str
    challenge: str
    """What the device is handed beside the code, for firmware that answers it."""
    expires_at: float
    attempts: int = 0
    """Wrong codes that were tried while this one waited."""


class AnswerStore(Protocol):
    """Answers live 24 hours (`forget_before`)."""

    async def get(self, owner: str, chat_id: str) -> Answer | None: ...

    async def put(self, answer: Answer) -> None: ...

    async def forget_before(self, created_at: float) -> int: ...


class ActStore(Protocol):
    """Acts live as long as answers do (`forget_before`)."""

    async def begin(self, act: Act) -> Act | None:
        """Keep it before it is done. If it is known already, that one is returned and nothing is kept."""
        ...

    async def finish(self, act: Act) -> None:
        """Keep its result."""
        ...

    async def drop(self, act: Act) -> None:
        """It was not done: it may be tried again."""
        ...

    async def forget_before(self, created_at: float) -> int: ...


class TimerStore(Protocol):
    async def add(self, timer: Timer) -> None: ...

    async def remove(self, owner: str, timer_id: str) -> bool:
        """Whether it was there: of two who remove a timer only one is told so, and only that one rings it."""
        ...

    async def of(self, owner: str) -> Sequence[Timer]:
        """Soonest first."""
        ...

    async def due(self, before: float, limit: int = 100, kind: str = "") -> Sequence[Timer]:
        """Of all owners, soonest first; with `kind`, of this kind alone."""
        ...


class ListStore(Protocol):
    """Named lists (shopping, to do) of texts, in order of their adding."""

    async def items(self, owner: str, name: str) -> Sequence[str]: ...

    async def add(self, owner: str, name: str, item: str) -> None: ...

    async def remove(self, owner: str, name: str, item: str) -> bool: ...

    async def clear(self, owner: str, name: str) -> int:
        """How many items went."""
        ...

    async def names(self, owner: str) -> Sequence[str]:
        """Of the lists that hold something, in order of their first item."""
        ...


class DialogueStore(Protocol):
    """What was said in a session, oldest first."""

    async def append(self, session_id: str, entries: Sequence[DialogueEntry]) -> None: ...

    async def load(self, session_id: str, limit: int = 50) -> Sequence[DialogueEntry]:
        """The newest `limit` entries, oldest first."""
        ...

    async def forget(self, session_id: str) -> None: ...

    async def forget_before(self, created_at: float) -> int:
        """Of all sessions; how many entries went."""
        ...


class SessionStore(Protocol):
    """Sessions a client may come back to."""

    async def save(self, record: SessionRecord) -> None:
        """Keep a session, or bring its `seen_at` and `state` up to date.

        `created_at` stays as it was first said, and the two counters never go back, so that a snapshot taken before an
        event was appended undoes nothing.

        Raises:
            StoreError: the id is another owner's.
        """
        ...

    async def load(self, owner: str, session_id: str) -> SessionRecord | None:
        """None also for another owner's."""
        ...

    async def touch(self, session_id: str, seen_at: float) -> bool:
        """Whether it was there."""
        ...

    async def delete(self, session_id: str, *, seen_before: float = math.inf) -> bool:
        """Delete a session with its events and its dialogue, all or none; whether it was there.

        With `seen_before`, one that was seen since is left alone: its client may have come back, here or on another
        server, after it was found to have expired.
        """
        ...

    async def expired(self, before: float, limit: int = 1_000) -> Sequence[str]:
        """The ids of sessions last seen before then, longest unseen first."""
        ...


class EventStore(Protocol):
    """The unacknowledged events of kept sessions; their session's counters move with them."""

    async def append(self, event: StoredEvent) -> None:
        """Beyond `EVENTS_KEPT` numbers the oldest go, and count as acknowledged.

        Numbers may be left out (an event that could not be stored), and the session may have been saved with a greater
        `next_seq` already.

        Raises:
            StoreError: there is no such session (any more), or it had an event of this number or a greater one.
        """
        ...

    async def after(self, session_id: str, seq: int) -> Sequence[StoredEvent]:
        """In order."""
        ...

    async def acknowledge(self, session_id: str, seq: int) -> None:
        """The client has all up to `seq`, whether they were stored or not: drop them, and let the counters follow.

        An old number and an unknown session change nothing.
        """
        ...

    async def count(self, session_id: str) -> int: ...

    async def forget(self, session_id: str) -> None:
        """Drop all, as if acknowledged."""
        ...


class DeviceStore(Protocol):
    async def get(self, device_id: str) -> Device | None: ...

    async def save(self, device: Device) -> None:
        """Keep it in place of what was known of this id."""
        ...

    async def all(self) -> Sequence[Device]:
        """In the order of their first visit."""
        ...

    async def remove(self, device_id: str) -> bool:
        """Whether it was there."""
        ...


class PairingStore(Protocol):
    async def issue(self, code: PairingCode, now: float) -> bool:
        """Keep a code in place of the former one of its device and installation. False: its digits are another's that waits.

        Another installation under the same name has its own: an id is no secret, and whoever uses it takes no code away.
        """
        ...

    async def of(self, device_id: str, client_id: str, now: float) -> PairingCode | None:
        """The code of the device with this installation on it, if it still holds."""
        ...

    async def take(self, code: str, now: float) -> PairingCode | None:
        """Take a code out, so that it serves once. None: there is none like it (any more).

        A wrong one may have been meant for any that waits, so it counts as an attempt on all of them; with
        `PAIRING_ATTEMPTS` a code holds no longer.
        """
        ...

    async def forget_before(self, expires_at: float) -> int: ...


class Store(Protocol):
    """One of each, with one lifetime."""

    @property
    def answers(self) -> AnswerStore: ...

    @property
    def acts(self) -> ActStore: ...

    @property
    def timers(self) -> TimerStore: ...

    @property
    def lists(self) -> ListStore: ...

    @property
    def dialogues(self) -> DialogueStore: ...

    @property
    def sessions(self) -> SessionStore: ...

    @property
    def events(self) -> EventStore: ...

    @property
    def devices(self) -> DeviceStore: ...

    @property
    def pairings(self) -> PairingStore: ...

    async def commit(self, *, answer: Answer | None = None, event: StoredEvent | None = None) -> bool:
        """Store an answer and the event that tells of it, both or neither, also if the process dies.

        False: the chat has an answer already, and nothing was stored; `answers` has it. Of several who answer the same
        chat, on whichever server, one is told True.

        Raises:
            StoreError: as `events.append`; the answer was not stored either.
        """
        ...

    async def aclose(self) -> None: ...
