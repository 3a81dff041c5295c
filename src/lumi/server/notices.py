"""What waits to be said of our own accord in one session, and what becomes of it when nobody hears it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lumi.engines.base import Speaker


@dataclass(frozen=True, slots=True)
class Notice:
    """Words of our own that wait for their turn."""

    text: str
    speaker: Speaker
    turn_id: str = ""
    """The turn they belong to, if they were made by one (a chat that is to be spoken)."""
    id: str = ""
    """What rings them; empty: nobody asks whether they were heard."""
    written: bool = False
    """A client that goes in mid-sentence gets the rest in writing when it is back."""

    def is_said_by(self, heard: str) -> bool:
        """Whether what was heard is all of it; where sentences are cut, white space goes."""
        return "".join(heard.split()) == "".join(self.text.split())


class Notices:
    """A queue; who adds asks first how many wait.

    Args:
        unsaid: told the `id` of each that was not said after all.
    """

    def __init__(self, unsaid: Callable[[str], None]) -> None:
        self._unsaid = unsaid
        self._waiting: list[Notice] = []  # bounded by who adds

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, notice: Notice) -> None:
        self._waiting.append(notice)

    def take(self) -> Notice:
        """The next; there is one."""
        return self._waiting.pop(0)

    def give_back(self, notice: Notice | None, heard: str = "") -> None:
        """Nobody will hear it here any more, and so much of it was heard."""
        if notice is not None and notice.id and not notice.is_said_by(heard):
            self._unsaid(notice.id)

    def clear(self) -> None:
        """None of those that wait will be said here."""
        while self._waiting:
            self.give_back(self._waiting.pop(0))
