"""Writes docs/protocol.md from the message types and the tables: `python -m lumi.protocol.reference > docs/protocol.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from inspect import cleandoc

from msgspec import NODEFAULT, UNSET, Struct
from msgspec.structs import FieldInfo, fields

from lumi.protocol.client_profiles import XIAOZHI_DOWNLINK
from lumi.protocol.codec import MAX_CONTENT_CHARS
from lumi.protocol.dialect import CLIENT_RULES, FIELDS, FORMS, RULES, XIAOZHI_ERRORS, Rule
from lumi.protocol.faults import Limits
from lumi.protocol.fields import tag_of, to_json, words
from lumi.protocol.frames import Framing
from lumi.protocol.handshake import VERSIONS, served_formats
from lumi.protocol.messages import (
    CLIENT_TYPES,
    EMOTIONS,
    ERROR_NUMBERS,
    FATAL_CLOSE_CODES,
    RETRYABLE,
    SERVER_TYPES,
    AudioParams,
    CloseCode,
    DeviceInfo,
    Features,
    ListCard,
    ResumeRequest,
    ServerInfo,
    TimerCard,
)
from lumi.protocol.state import diagram

_NESTED: tuple[type[Struct], ...] = (
    AudioParams,
    DeviceInfo,
    Features,
    ServerInfo,
    ResumeRequest,
    TimerCard,
    ListCard,
)

_FRAMINGS: dict[Framing, tuple[str, str]] = {
    Framing.V1: ("none: the frame is one packet", "default"),
    Framing.V2: (
        "u16 version (2), u16 type (0 audio, 1 JSON), u32 reserved, u32 timestamp in ms, u32 payload size",
        "xiaozhi: `version` 2 in hello, else header `Protocol-Version: 2`; lumi: that header",
    ),
    Framing.V3: ("u8 type (0), u8 reserved, u16 payload size", "the same with 3"),
    Framing.GATEWAY: (
        "u8 1, u8 0, u16 payload length, u32 sequence, u32 timestamp in ms, u32 packet length",
        "`?from=mqtt_gateway` in the URL",
    ),
}

_CLOSE_CODES: dict[int, str] = {
    CloseCode.DONE: "done",
    CloseCode.GOING_AWAY: "the server is going away: connect again, perhaps elsewhere",
    CloseCode.TOO_LARGE: "a frame was too large",
    CloseCode.INTERNAL: "the server made a mistake",
    CloseCode.TRY_LATER: "too much at once, or too many frames without sense: try later",
    CloseCode.UNAUTHORIZED: "not authorised",
    CloseCode.NO_HELLO: "no hello in time",
    CloseCode.REPLACED: "replaced by a newer connection of the same session",
}


def reference() -> str:
    """The whole page."""
    sections = (_opening(), _messages(), _announced(), _binary(), _errors(), _states())
    return "\n".join(line for section in sections for line in section)


def _opening() -> Iterator[str]:
    down = XIAOZHI_DOWNLINK
    versions = "; ".join(
        f"{dialect}: {', '.join(map(str, numbers))}" for dialect, numbers in VERSIONS.items()
    )
    yield from (
        "# The protocol",
        "",
        "<!-- Written by `python -m lumi.protocol.reference`: change the message types, not this page. -->",
        "",
        "One WebSocket; JSON objects in text frames, sound in binary frames. The client opens with `hello`; the",
        "server's `hello` is the first frame it sends. A first hello with an `id` speaks the **lumi** dialect, one",
        "without it the **xiaozhi** dialect. Unknown fields are ignored everywhere; what a message says of its",
        "session or device is not believed: the connection knows.",
        "",
        f"`version` accepted in hello ({versions}).",
        "",
        f"Audio accepted: {served_formats()}.",
        "In lumi the server sends what the client declared; in xiaozhi",
        f"{down.codec} at {down.sample_rate_hz} Hz in frames of {down.frame_ms} ms, or the client's PCM if it has no codec.",
        "",
    )


def _messages() -> Iterator[str]:
    yield from ("## Messages", "")
    for heading, types in (("From the client", CLIENT_TYPES), ("From the server", SERVER_TYPES)):
        yield from (f"### {heading}", "")
        for one in types:
            yield from (f"#### `{tag_of(one)}`", "", *_summary(one), *_fields(one))
    yield from ("### Nested objects", "")
    for nested in _NESTED:
        yield from (f"#### {nested.__name__}", "", *_fields(nested))
    yield from (
        "The 21 emotions of `llm`: " + " ".join(f"{face} `{name}`" for name, face in EMOTIONS.items()),
        "",
    )


def _summary(kind: type[Struct]) -> Iterator[str]:
    yield from (*cleandoc(kind.__doc__ or "").splitlines(), "")


def _fields(kind: type[Struct]) -> Iterator[str]:
    rows = [(f"`{field.encode_name}`", words(field.type), _if_missing(field)) for field in fields(kind)]
    yield from _table(("field", "accepts", "if missing"), rows)


def _if_missing(field: FieldInfo) -> str:
    if field.default_factory is not NODEFAULT:
        return f"`{to_json(field.default_factory())}`"
    if field.default is NODEFAULT:
        return "**an error**"
    return "" if field.default in (UNSET, None) else f"`{to_json(field.default)}`"


def _announced() -> Iterator[str]:
    yield from (
        "## What a client gets",
        "",
        "No client gets a message type, a form or a field that its dialect, its `features` or its own messages do",
        "not announce.",
        "",
    )
    yield from _table(
        ("type", "who gets it"), [(f"`{tag_of(kind)}`", _who(rule)) for kind, rule in RULES.items()]
    )
    forms = [
        (f"`{tag_of(kind)}` with `{name}` {_json(value)}", f"`{feature}`")
        for kind, (name, value, feature) in FORMS.items()
    ]
    optional = [(f"the field `{name}`", f"`{feature}`") for name, feature in FIELDS.items()]
    sent = [
        (f"`{tag_of(kind)}`, which a client sends", f"`{feature}`") for kind, feature in CLIENT_RULES.items()
    ]
    yield from _table(("what", "only with the feature"), forms + optional + sent)
    codes = ", ".join(f"`{code}`" for code in sorted(XIAOZHI_ERRORS))
    yield from (
        "In xiaozhi an `error` is only about a message of the client's own that made no sense",
        f"({codes}); a turn that failed is said aloud. Who sent a `chat` gets every error.",
        "",
    )


def _who(rule: Rule) -> str:
    reasons = [f"every {dialect} client" for dialect in sorted(rule.dialects)]
    if rule.feature:
        reasons.append(f"with the feature `{rule.feature}`")
    if rule.asked_by:
        reasons.append(f"who sent `{tag_of(rule.asked_by)}`")
    return "; ".join(reasons) or "devices the server knows to run firmware that shows it"


def _binary() -> Iterator[str]:
    limits = Limits()
    yield from ("## Binary frames", "", "Headers are big-endian and alike in both directions.", "")
    yield from _table(("framing", "header", "chosen by"), [(str(one), *_FRAMINGS[one]) for one in Framing])
    yield from (
        "An empty binary frame says 'end of audio'.",
        "",
        f"Limits: a text frame of {limits.text_bytes} bytes and a binary frame of {limits.binary_bytes} bytes (beyond,",
        f"close {CloseCode.TOO_LARGE}); the text of a `chat` or a `detect` {MAX_CONTENT_CHARS} characters",
        f"(beyond, `too_large`); {limits.faults_in_a_row} frames without sense in a row (then close {CloseCode.TRY_LATER}).",
        "",
    )


def _errors() -> Iterator[str]:
    yield from (
        "## Errors",
        "",
        "A message without sense costs its sender that message, not the connection.",
        "",
    )
    rows = [
        (f"`{code}`", str(number), "yes" if code in RETRYABLE else "")
        for code, number in ERROR_NUMBERS.items()
    ]
    yield from _table(("`error_code`", "`code`", "`retryable`"), rows)
    closes = [
        (str(code), meaning, "no" if code in FATAL_CLOSE_CODES else "")
        for code, meaning in _CLOSE_CODES.items()
    ]
    yield from _table(("close code", "meaning", "try again"), closes)


def _states() -> Iterator[str]:
    yield from ("## States of a connection", "", "```mermaid", diagram(), "```", "")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _json(value: object) -> str:
    return f"`{to_json(value)}`"


def main() -> None:
    """Write the page to standard output."""
    sys.stdout.write(reference())


if __name__ == "__main__":
    main()
