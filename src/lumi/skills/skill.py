"""What a skill is: it gets a request that was understood, and gives a reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lumi.engines.base import ChatMessage, Language, Speaker
from lumi.skills.wording import Wording

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reply:
    """`text` as it should be shown; `emotion` is one of the protocol's 21."""

    text: str
    emotion: str = "neutral"


@dataclass(frozen=True, slots=True)
class Request:
    """One utterance that fits an intent.

    `slots` are values already read (a `Fraction`, a `Moment`, a text …). `now` is UNIX seconds. `before` are the
    dialogue's messages without this one: what Lumi asked last is read from them, so no state is kept between turns.
    """

    text: str
    language: Language
    speaker: Speaker
    intent: str
    slots: Mapping[str, object]
    now: float
    wording: Wording
    before: Sequence[ChatMessage] = ()

    @property
    def owner(self) -> str:
        return self.speaker.device_id or self.speaker.session_id

    @property
    def local_now(self) -> datetime:
        return datetime.fromtimestamp(self.now, zone(self.speaker.timezone))

    @property
    def last_said(self) -> str:
        """What Lumi said last, or an empty text."""
        return next((message.content for message in reversed(self.before) if message.role == "assistant"), "")

    def slot(self, name: str, kind: type[_T]) -> _T | None:
        """A slot's value, if it has one of that kind."""
        value = self.slots.get(name)
        return value if isinstance(value, kind) else None

    def say(self, key: str, emotion: str = "neutral", /, **values: object) -> Reply:
        """The reply `key` of the intents' file, filled in."""
        return Reply(self.wording.say(key, **values), emotion)


Handler = Callable[[Request], Awaitable[Reply | None]]
"""None: this was not what was meant after all; the next candidate is tried."""


class Skill(Protocol):
    @property
    def handlers(self) -> Mapping[str, Handler]:
        """By the intent's name."""
        ...


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name; UTC for one that is not known."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
