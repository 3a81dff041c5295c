"""Which messages, forms and fields a peer gets: its dialect's, what its features asked for, and nothing else.

Clients in the field print unknown types into the chat window or add a bubble for every `stt`, so the tables here
are the last word on what goes out; the reference is written from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from msgspec import UNSET, Struct

from lumi.protocol.messages import (
    Ack,
    Alert,
    Cards,
    Chat,
    ClientHello,
    ClientIot,
    Error,
    ErrorCode,
    Features,
    Goodbye,
    LlmEmotion,
    Mcp,
    Message,
    Metrics,
    Notify,
    Ping,
    Played,
    Pong,
    Response,
    ServerHello,
    ServerIot,
    Stt,
    System,
    Tts,
    TtsState,
)


class Dialect(StrEnum):
    LUMI = "lumi"
    XIAOZHI = "xiaozhi"


@dataclass(frozen=True, slots=True)
class Rule:
    """When a client gets a message type: any of the three is enough.

    Args:
        dialects: those that always get it.
        feature: the field of `Features` that asks for it.
        asked_by: the message of its own by which a client asks for it.
    """

    dialects: frozenset[Dialect] = frozenset()
    feature: str | None = None
    asked_by: type[Message] | None = None


_BOTH = frozenset(Dialect)
_LUMI = frozenset({Dialect.LUMI})
_XIAOZHI = frozenset({Dialect.XIAOZHI})

RULES: dict[type[Message], Rule] = {
    ServerHello: Rule(dialects=_BOTH),
    # A chat gets a response and a resumed session the text it missed, whatever the dialect.
    Response: Rule(dialects=_LUMI, feature="resume", asked_by=Chat),
    Stt: Rule(dialects=_BOTH),
    LlmEmotion: Rule(dialects=_XIAOZHI, feature="emotion"),
    Tts: Rule(dialects=_BOTH),
    Notify: Rule(feature="notify"),
    Cards: Rule(feature="cards"),
    Mcp: Rule(feature="mcp"),
    ServerIot: Rule(asked_by=ClientIot),
    # Firmware only: who knows that a device is one grants them (`extra` of `Connection`).
    Alert: Rule(),
    System: Rule(),
    Goodbye: Rule(dialects=_LUMI),
    Pong: Rule(asked_by=Ping),
    Metrics: Rule(feature="metrics"),
    Error: Rule(dialects=_BOTH),
}

FORMS: dict[type[Message], tuple[str, Any, str]] = {
    Response: ("is_final", False, "stream"),
    Stt: ("is_final", False, "partials"),
    Tts: ("state", TtsState.SENTENCE_END, "sentence_end"),
}
"""Type → field and value of the form that only a client with the feature gets."""

FIELDS: dict[str, str] = {"turn_id": "turns", "seq": "resume", "delta": "stream"}
"""Optional field → the feature without which it is left out."""

CLIENT_RULES: dict[type[Message], str] = {Played: "played", Ack: "resume", Mcp: "mcp"}
"""What a client sends only if the server's hello granted the feature."""

XIAOZHI_ERRORS = frozenset(
    {
        ErrorCode.BAD_JSON,
        ErrorCode.BAD_MESSAGE,
        ErrorCode.UNKNOWN_TYPE,
        ErrorCode.NOT_READY,
        ErrorCode.UNAUTHORIZED,
        ErrorCode.UNSUPPORTED_VERSION,
        ErrorCode.UNSUPPORTED_AUDIO,
        ErrorCode.TOO_LARGE,
    }
)
"""A message of its own that made no sense. A turn that failed is said aloud, unless the client sent a `chat`."""

ASKING_TYPES: frozenset[type[Message]] = frozenset(rule.asked_by for rule in RULES.values() if rule.asked_by)
"""Client messages by which a client asks for a type."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What one client gets, computed once for all clients alike.

    Args:
        asked: the asking types it has sent.
        fields: type → the fields left out for want of a feature.
        forms: type → field and value of the form left out.
        errors: the `error_code`s it gets.
    """

    asked: frozenset[type[Message]]
    fields: dict[type[Message], tuple[str, ...]]
    forms: dict[type[Message], tuple[str, Any]]
    errors: frozenset[str]

    def fit(self, message: Message) -> dict[str, Any] | None:
        """The changes to make to `message` so that this client may get it; None if it gets nothing of the kind."""
        kind = type(message)
        left_out = self.fields.get(kind)
        if left_out is None:
            return None
        form = self.forms.get(kind)
        if form is not None and getattr(message, form[0]) == form[1]:
            return None
        if isinstance(message, Error) and message.error_code not in self.errors:
            return None
        return {name: UNSET for name in left_out if getattr(message, name) is not UNSET}


def detect(hello: ClientHello) -> Dialect:
    """Tell the dialect from the first hello: lumi's has an `id`."""
    return Dialect.LUMI if hello.id else Dialect.XIAOZHI


@lru_cache(maxsize=256)
def vocabulary(
    dialect: Dialect,
    features: Features,
    asked: frozenset[type[Message]] = frozenset(),
    extra: frozenset[type[Message]] = frozenset(),
) -> Vocabulary:
    """Work out what a client gets.

    Args:
        dialect: the client's.
        features: those granted.
        asked: the types it has sent.
        extra: types it gets for what it is (firmware: `Alert`, `System`).
    """
    types = [
        kind for kind, rule in RULES.items() if kind in extra or _follows(rule, dialect, features, asked)
    ]
    every_error = dialect is Dialect.LUMI or Chat in asked
    return Vocabulary(
        asked=asked,
        fields={kind: _left_out(kind, features) for kind in types},
        forms={kind: form[:2] for kind, form in FORMS.items() if not getattr(features, form[2])},
        errors=frozenset(ErrorCode) if every_error else XIAOZHI_ERRORS,
    )


def announces(
    dialect: Dialect,
    features: Features,
    message: Message,
    *,
    asked: frozenset[type[Message]] = frozenset(),
) -> bool:
    """Whether a client's dialect, features or own messages (`asked`) announce that it gets `message`."""
    return vocabulary(dialect, features, asked).fit(message) is not None


def _follows(rule: Rule, dialect: Dialect, features: Features, asked: frozenset[type[Message]]) -> bool:
    by_feature = rule.feature is not None and bool(getattr(features, rule.feature))
    return dialect in rule.dialects or by_feature or rule.asked_by in asked


def _left_out(kind: type[Struct], features: Features) -> tuple[str, ...]:
    """Optional fields without their feature; a field the type cannot do without stays."""
    optional = {
        name
        for name, default in zip(
            reversed(kind.__struct_fields__), reversed(kind.__struct_defaults__), strict=False
        )
        if default is UNSET
    }
    return tuple(
        name for name, feature in FIELDS.items() if name in optional and not getattr(features, feature)
    )
