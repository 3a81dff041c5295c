"""What was said so far, as the model is to see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from lumi.engines.base import ChatMessage


@dataclass(frozen=True, slots=True)
class Said:
    """One entry; `turn_id` tells which turn said it."""

    turn_id: str
    role: Literal["user", "assistant"]
    content: str


class Dialogue:
    """The last `limit` entries of a conversation.

    An answer stands here with the words that were really heard: who interrupts is not told later that
    everything had been said.
    """

    def __init__(self, limit: int = 40) -> None:
        self._limit = limit
        self._said: list[Said] = []

    def __len__(self) -> int:
        return len(self._said)

    @property
    def entries(self) -> tuple[Said, ...]:
        return tuple(self._said)

    def heard_user(self, turn_id: str, text: str) -> None:
        self._add(Said(turn_id, "user", text))

    def answered(self, turn_id: str, text: str) -> None:
        """Note a turn's answer, or put the turn's present wording in its place. Empty text takes it out."""
        for index, said in enumerate(self._said):
            if said.turn_id == turn_id and said.role == "assistant":
                if text:
                    self._said[index] = replace(said, content=text)
                else:
                    del self._said[index]
                return
        if text:
            self._add(Said(turn_id, "assistant", text))

    def remember(self, role: str, content: str) -> None:
        """Take up an entry of an earlier life of this conversation."""
        self._add(Said("", "user" if role == "user" else "assistant", content))

    def forget(self, turn_id: str) -> None:
        """Take out all that a turn said: it came to nothing and will be tried again."""
        self._said = [said for said in self._said if said.turn_id != turn_id]

    def _add(self, said: Said) -> None:
        self._said.append(said)
        del self._said[: -self._limit]

    def messages(self, persona: str = "", turn_id: str = "") -> tuple[ChatMessage, ...]:
        """How the assistant should be, where that is said, then the entries, oldest first.

        With a turn's id they end with what the user said to it: what is said meanwhile, aloud or in writing, is
        another turn's to answer.
        """
        said = list(self._said)
        own = [index for index, one in enumerate(said) if one.turn_id == turn_id and one.role == "user"]
        if turn_id and own:
            del said[own[-1] + 1 :]
        head = (ChatMessage("system", persona),) if persona else ()
        return head + tuple(ChatMessage(one.role, one.content) for one in said)
