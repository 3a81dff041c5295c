"""What was asked, answered, shown and made in a campaign, and what is wrong with it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer, as a client saw it."""

    chat_id: str
    content: str


@dataclass(frozen=True, slots=True)
class Made:
    """One answer that a server began to make, in its life number `life`."""

    life: int
    question: str


def question(device: str, number: int) -> str:
    """What chat `number` of a device says; nobody else says the same."""
    return f"<{device} {number}>"


@dataclass(slots=True)
class Record:
    """One client's conversation.

    Attributes:
        asked: ids of its chats with what they say, in order.
        returned: what `chat()` returned, by the order of asking.
        shown: final responses to chats among the client's events, in the order of their coming.
        events: session and `seq` of every event that carried one.
    """

    asked: dict[str, str] = field(default_factory=dict)
    returned: list[Answered] = field(default_factory=list)
    shown: list[Answered] = field(default_factory=list)
    events: list[tuple[str, int]] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Everything that is lost, comes twice, is out of order, or is somebody else's."""
        return [
            *self._order("returned", self.returned),
            *self._order("shown", self.shown),
            *(f"event {seq} of session {session} came {n} times" for (session, seq), n in twice(self.events)),
            *self._strangers(),
            *self._two_answers(),
        ]

    def _order(self, what: str, answers: Sequence[Answered]) -> list[str]:
        ids = [answer.chat_id for answer in answers]
        if ids == list(self.asked):
            return []
        found = [f"{what}: {one} {n} times" for one, n in twice(ids)]
        found += [f"{what}: {one} never" for one in self.asked if one not in set(ids)]
        found += [f"{what}: {one}, which was not asked" for one in ids if one not in self.asked]
        return found or [f"{what}: not in the order of asking"]

    def _strangers(self) -> list[str]:
        return [
            f"{answer.chat_id} was answered {answer.content!r}, which does not belong to it"
            for answer in (*self.returned, *self.shown)
            if self.asked.get(answer.chat_id, "") not in answer.content
        ]

    def _two_answers(self) -> list[str]:
        returned = {answer.chat_id: answer.content for answer in self.returned}
        return [
            f"{answer.chat_id}: one answer was returned, another shown"
            for answer in self.shown
            if returned.get(answer.chat_id, answer.content) != answer.content
        ]


def twice(items: Iterable[Item]) -> list[tuple[Item, int]]:
    """What occurs more than once, and how often."""
    return [(item, n) for item, n in Counter(items).items() if n > 1]


def made_twice(made: Iterable[Made]) -> list[str]:
    """Answers that one server made more than once. Another life may make one anew: the first died in the making."""
    return [f"{one} made {n} times" for one, n in twice(made)]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one campaign came to. Times in seconds."""

    name: str
    seed: int
    faults: int
    restarts: int
    """Of the server, or of the client where that was the one killed."""
    chats: int
    answers_made: int
    remade: int
    """Answers that a server died over, and the next one made anew."""
    seconds: float
    virtual_seconds: float | None = None
    problems: list[str]


def remade(made: Sequence[Made]) -> int:
    """How many answers were begun beyond one for each question."""
    return len(made) - len({one.question for one in made})
