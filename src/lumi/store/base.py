"""The seams of the store, and its records. Times are UNIX seconds from the wall clock that is passed in.

Every write returns when it is durable. A store that cannot do its work raises `lumi.errors.StoreError`.
`owner` is an identity (a device id): nobody sees another owner's records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


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
    """`timer` or `reminder`."""
    label: str
    language: str
    created_at: float
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DialogueEntry:
    role: str
    content: str
    created_at: float


class AnswerStore(Protocol):
    """Answers live 24 hours (`forget_before`)."""

    async def get(self, owner: str, chat_id: str) -> Answer | None: ...

    async def put(self, answer: Answer) -> None: ...

    async def forget_before(self, created_at: float) -> int: ...


class TimerStore(Protocol):
    async def add(self, timer: Timer) -> None: ...

    async def remove(self, owner: str, timer_id: str) -> bool:
        """Whether it was there: of two who remove a timer only one is told so, and only that one rings it."""
        ...

    async def of(self, owner: str) -> Sequence[Timer]:
        """Soonest first."""
        ...

    async def due(self, before: float, limit: int = 100) -> Sequence[Timer]:
        """Of all owners, soonest first."""
        ...


class ListStore(Protocol):
    """Named lists (shopping, to do) of texts, in order of their adding."""

    async def items(self, owner: str, name: str) -> Sequence[str]: ...

    async def add(self, owner: str, name: str, item: str) -> None: ...

    async def remove(self, owner: str, name: str, item: str) -> bool: ...

    async def clear(self, owner: str, name: str) -> int:
        """How many items went."""
        ...


class DialogueStore(Protocol):
    """What was said in a session, oldest first."""

    async def append(self, session_id: str, entries: Sequence[DialogueEntry]) -> None: ...

    async def load(self, session_id: str, limit: int = 50) -> Sequence[DialogueEntry]:
        """The newest `limit` entries, oldest first."""
        ...

    async def forget(self, session_id: str) -> None: ...


class Store(Protocol):
    """One of each, with one lifetime."""

    @property
    def answers(self) -> AnswerStore: ...

    @property
    def timers(self) -> TimerStore: ...

    @property
    def lists(self) -> ListStore: ...

    @property
    def dialogues(self) -> DialogueStore: ...

    async def aclose(self) -> None: ...
