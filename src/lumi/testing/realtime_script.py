"""What a stand-in for the OpenAI Realtime API answers, what it does wrong, and what it keeps of each connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class RealtimeFault(StrEnum):
    """What goes wrong from now on."""

    NONE = "none"
    CUT_IN_ANSWER = "cut_in_answer"
    """The connection breaks after the first piece of speech."""
    CUT_BEFORE_ANSWER = "cut_before_answer"
    SILENT = "silent"
    """Nothing comes back any more."""
    FAILED = "failed"
    """The response ends as failed, for want of credit."""
    GARBLED = "garbled"
    """What comes is no event."""
    NO_TRANSCRIPT = "no_transcript"
    LATE_TRANSCRIPT = "late_transcript"
    """It comes after the answer."""
    SHUT = "shut"
    """Nobody is let in, whatever key they show."""
    NO_ASIDES = "no_asides"
    """It takes no responses that are no part of the conversation."""


@dataclass(slots=True)
class Call:
    """The model wants a function called; `then` is what it says with the result."""

    name: str
    arguments: str = "{}"
    then: Answer = "Done."


Answer = str | Call


@dataclass(slots=True)
class Heard:
    """One connection, as the service knows it."""

    settings: Json = field(default_factory=dict)
    sound: bytearray = field(default_factory=bytearray)
    utterances: list[bytes] = field(default_factory=list)
    items: list[Json] = field(default_factory=list)
    received: list[Json] = field(default_factory=list)
    pending: Call | None = None

    def kinds(self) -> list[str]:
        """The kinds of events that came, runs of the same folded into one."""
        names: list[str] = []
        for event in self.received:
            if not names or names[-1] != event["type"]:
                names.append(event["type"])
        return names
