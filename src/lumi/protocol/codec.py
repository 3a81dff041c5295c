"""JSON text to messages and back. What does not decode is a `ProtocolError` that names the mistake and the mend."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import msgspec
from msgspec import UNSET

from lumi.errors import ProtocolError
from lumi.protocol.fields import accepted, look_up, tag_of, to_json
from lumi.protocol.messages import (
    CLIENT_TYPES,
    ERROR_NUMBERS,
    RETRYABLE,
    SERVER_TYPES,
    Chat,
    ClientMessage,
    Error,
    ErrorCode,
    Listen,
    Message,
    ServerMessage,
    Timestamp,
)

MAX_CONTENT_CHARS = 8_000

_CLIENT_BY_TAG = {tag_of(one): one for one in CLIENT_TYPES}
_SERVER_BY_TAG = {tag_of(one): one for one in SERVER_TYPES}
# Decoders and encoders hold no state of a message: made once, shared by all connections.
_CLIENT_DECODER: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_SERVER_DECODER: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
_ENCODE = msgspec.json.Encoder().encode

_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
_PATH = re.compile(r" - at `(?:key in )?\$\.?(.*)`$")
_MISSING = re.compile(r"^Object missing required field `([^`]*)`")
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|[\ud800-\udfff]")
# The id of an object that breaks off: only before anything nested, so that it is the message's own.
_BROKEN_ID = re.compile(r'^\s*\{(?:[^{}\[\]]*,)?\s*"id"\s*:\s*"([^"\\\x00-\x1f\ud800-\udfff]{1,128})"')
_SHOWN_CHARS = 40


def decode_client(text: str | bytes, *, max_content_chars: int = MAX_CONTENT_CHARS) -> ClientMessage:
    """Decode what a client sent.

    Args:
        text: one JSON object; `bytes` are UTF-8.
        max_content_chars: the longest text a `chat` or a `detect` may bring.

    Raises:
        ProtocolError: `bad_json`, `bad_message`, `unknown_type` or `too_large`, with the message's id if readable.
    """
    try:
        message = _CLIENT_DECODER.decode(text)
    except _UNREADABLE as error:
        _explain(error, text, _CLIENT_BY_TAG)
    if len(text) > max_content_chars:  # JSON is never shorter than the text in it
        _check_length(message, max_content_chars)
    return message


def decode_server(text: str | bytes) -> ServerMessage:
    """Decode what a server sent.

    Raises:
        ProtocolError: `bad_json`, `bad_message` or `unknown_type`.
    """
    try:
        return _SERVER_DECODER.decode(text)
    except _UNREADABLE as error:
        _explain(error, text, _SERVER_BY_TAG)


def encode(message: Message) -> str:
    """Encode a message as one JSON object. Text that is no Unicode (half a surrogate pair) gets a `?` in its place."""
    try:
        return _ENCODE(message).decode()
    except UnicodeEncodeError:
        plain = json.dumps(msgspec.to_builtins(message), ensure_ascii=False, separators=(",", ":"))
        return plain.encode("utf-8", "replace").decode()


def error_message(
    error: ProtocolError,
    *,
    session_id: str | None = None,
    timestamp: Timestamp | None = None,
    retry_after_s: float | None = None,
) -> Error:
    """Put an error into the words of the wire: both pairs of fields, since clients read the one or the other.

    Args:
        error: its `code` is an `ErrorCode`.
        session_id: None before hello.
        timestamp: milliseconds since the epoch; None leaves it to `Connection.send`.
        retry_after_s: seconds after which the same message may succeed.
    """
    code = ErrorCode(error.code)
    return Error(
        error_code=code.value,
        error_message=str(error),
        code=ERROR_NUMBERS[code],
        message=str(error),
        id=error.message_id,
        request_id=error.message_id,
        session_id=UNSET if session_id is None else session_id,
        timestamp=timestamp,
        retryable=code in RETRYABLE,
        retry_after=UNSET if retry_after_s is None else retry_after_s,
    )


def _check_length(message: ClientMessage, limit: int) -> None:
    if isinstance(message, Chat):
        name, length = "chat.content", len(message.content)
    elif isinstance(message, Listen):
        name, length = "listen.text", len(message.text or "")
    else:
        return
    if length > limit:
        problem = f"{name} has {length} characters; accepted: at most {limit}"
        raise ProtocolError(ErrorCode.TOO_LARGE, problem, message_id=message.id)


def _explain(error: Exception, text: str | bytes, by_tag: dict[str, Any]) -> NoReturn:
    """Look again, leniently, at what did not decode, and raise the error that names the mistake."""
    try:
        raw = msgspec.json.decode(text)
    except RecursionError:
        code, problem = ErrorCode.BAD_MESSAGE, "nested too deeply; a message needs no more than a few levels"
    except msgspec.ValidationError:  # JSON, with a number that neither 64 bits nor a double can hold
        code, problem = ErrorCode.BAD_MESSAGE, _out_of_range(str(error))
    except (msgspec.DecodeError, UnicodeError) as broken:
        code, problem = ErrorCode.BAD_JSON, _not_json(broken, text)
    else:
        code, problem = _diagnose(error, raw, by_tag)
        message_id = _readable_id(raw.get("id")) if isinstance(raw, dict) else None
        raise ProtocolError(code, problem, message_id=message_id) from error
    raise ProtocolError(code, problem, message_id=_broken_id(text)) from error


def _diagnose(error: Exception, raw: object, by_tag: dict[str, Any]) -> tuple[ErrorCode, str]:
    """Say what is wrong with JSON that is no message."""
    if not isinstance(raw, dict):
        return ErrorCode.BAD_MESSAGE, f"{_shown(raw)} is no message; accepted: one JSON object with a `type`"
    tag = raw.get("type", UNSET)
    types = f"accepted: {', '.join(by_tag)}"
    if not isinstance(tag, str):
        problem = "type is missing" if tag is UNSET else f"type is {_shown(tag)}"
        return ErrorCode.BAD_MESSAGE, f"{problem}; {types}"
    if tag not in by_tag:
        return ErrorCode.UNKNOWN_TYPE, f"type {_shown(tag)} is unknown; {types}"
    return ErrorCode.BAD_MESSAGE, _wrong_field(str(error), raw, by_tag[tag])


def _wrong_field(complaint: str, raw: dict[str, Any], message_type: type[Message]) -> str:
    """Name the field, what it holds and what it accepts. A missing field's own name is not in the decoder's path."""
    at = _PATH.search(complaint)
    path = at[1] if at else ""
    if path == "type":
        return "type is there more than once; accepted: once"
    if missing := _MISSING.match(complaint):
        path = f"{path}.{missing[1]}" if path else missing[1]
        problem = "is missing"
    else:
        problem = f"is {_shown(look_up(raw, path))}"
    return f"{tag_of(message_type)}.{path} {problem}; accepted: {accepted(message_type, path)}"


def _out_of_range(complaint: str) -> str:
    at = _PATH.search(complaint) if "out of range" in complaint else None
    return f"{at[1] if at else 'a number'} is out of range; accepted: numbers that fit 64 bits"


def _not_json(error: Exception, text: str | bytes) -> str:
    if isinstance(error, UnicodeError) or (isinstance(text, str) and _HALF_PAIR.search(text)):
        detail = "half a surrogate pair is no text" if isinstance(text, str) else "not UTF-8"
    else:
        detail = str(error).removeprefix("JSON is malformed: ")
    return f"not JSON ({detail[:1].lower()}{detail[1:]}); accepted: one JSON object in UTF-8"


def _shown(value: Any) -> str:
    """A value as an error message shows it: short, and of nested things only their kind."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is UNSET:
        return "not what is accepted"
    shown = to_json(value)
    return shown if len(shown) <= _SHOWN_CHARS else f"{shown[:_SHOWN_CHARS]}…"


class _Named(msgspec.Struct):
    """All that is wanted of a message that is not looked at."""

    id: Any = None


_NAMED_DECODER = msgspec.json.Decoder(_Named)


def message_id(text: str) -> str | None:
    """The id of a message that is not decoded, if it can be read."""
    try:
        return _readable_id(_NAMED_DECODER.decode(text).id)
    except _UNREADABLE:
        return _broken_id(text)


def _readable_id(value: object) -> str | None:
    """An id as text; a whole number counts as readable."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _broken_id(text: str | bytes) -> str | None:
    match = _BROKEN_ID.match(text if isinstance(text, str) else text.decode("utf-8", "replace"))
    return match[1] if match else None
