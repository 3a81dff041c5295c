"""What each field of a message accepts, in words: for error messages and for the reference."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.json import encode
from msgspec.structs import fields

from lumi.protocol.messages import Message

_WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
    Any: "anything",
}
_PLURALS = {"text": "texts", "an object": "objects"}
_STEP = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")


def tag_of(message_type: type[Message]) -> str:
    """The `type` a message has on the wire."""
    return str(message_type.__struct_config__.tag)


def words(annotation: Any) -> str:
    """Say what a field of this type accepts, e.g. `text or null`, `"start", "stop" or "detect"`."""
    if annotation in _WORDS:
        return _WORDS[annotation]
    members = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Annotated:
            said = words(members[0]) + "".join(_bounds(one) for one in members[1:])
        case origin if origin in (Union, UnionType):
            said = _any_of(_alternatives(members))
        case origin if origin is Literal:
            said = _any_of([f'"{value}"' for value in members])
        case origin if origin in (list, tuple):
            said = f"a list of {_PLURALS.get(words(members[0]), 'objects')}"
        case None if issubclass(annotation, StrEnum):
            said = _any_of([f'"{value}"' for value in annotation])
        case _:
            said = "an object"
    return said


@lru_cache(maxsize=512)
def accepted(message_type: type[Message], path: str) -> str:
    """Say what the field at `path` (`audio_params.sample_rate`, `descriptors[0]`) accepts.

    Kept, since looking a type up costs more than the rest of the complaint, and who floods us makes the same mistakes.
    """
    annotation: Any = message_type
    for name, _ in _STEP.findall(path):
        annotation = _step(annotation, name)
    return words(annotation)


def look_up(value: Any, path: str) -> Any:
    """The value at `path` in decoded JSON; `UNSET` if the path cannot be followed."""
    for name, index in _STEP.findall(path):
        if name and isinstance(value, dict):
            value = value.get(name, UNSET)
        elif index.isdecimal() and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            return UNSET
    return value


def to_json(value: Any) -> str:
    """A value as it stands in a message."""
    return encode(value).decode()


def _step(annotation: Any, name: str) -> Any:
    """The type of one field of a Struct, or of the items of a list or an object."""
    candidates = [annotation, *get_args(annotation)]
    for candidate in candidates:
        if name and isinstance(candidate, type) and issubclass(candidate, Struct):
            return {field.encode_name: field.type for field in fields(candidate)}.get(name, Any)
    containers = [one for one in candidates if get_origin(one) in (list, tuple, dict)]
    return get_args(containers[0])[-1 if get_origin(containers[0]) is dict else 0] if containers else Any


def _alternatives(members: tuple[Any, ...]) -> list[str]:
    """What the members of a union accept, without those that another member accepts too."""
    flat: list[str] = []
    for member in members:
        if get_origin(member) is Literal:
            flat += [f'"{value}"' for value in get_args(member)]
        elif member is not UnsetType and not (member is int and float in members):
            flat.append(words(member))
    return flat


def _bounds(meta: Any) -> str:
    if not isinstance(meta, Meta):
        return ""
    if meta.max_length is not None:
        return f" of {meta.min_length or 0} to {meta.max_length} characters"
    if meta.le is not None:
        return f" from {meta.ge} to {meta.le}"
    return f" from {meta.ge} up"


def _any_of(alternatives: list[str]) -> str:
    return (
        alternatives[0] if len(alternatives) == 1 else f"{', '.join(alternatives[:-1])} or {alternatives[-1]}"
    )
