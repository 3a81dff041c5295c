"""The settings as a tree: tables whose keys are known, tables that people name themselves, and leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr

from lumi.config.settings import Config

Keys = tuple[str, ...]
"""From the top: section, key; below a table that people name, its name and a key; in an engine's `options`, any."""


class Place(Enum):
    UNKNOWN = "unknown"
    TABLE = "table"
    """Its keys are known."""
    NAMED = "named"
    """Its keys are names that somebody chose; under each is a table of one kind."""
    FREE = "free"
    """What lies here is an engine's own business."""
    LEAF = "leaf"


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a path. `section` is the table itself, what stands under each name, or what the leaf is in."""

    place: Place
    section: type[BaseModel]


def find(path: Keys) -> Found:
    """Look a path up."""
    return _walk(Config, path)


def _walk(section: type[BaseModel], path: Keys) -> Found:
    if not path:
        return Found(Place.TABLE, section)
    field = section.model_fields.get(path[0])
    if field is None:
        return Found(Place.UNKNOWN, section)
    table, each, rest = as_table(field.annotation), as_named(field.annotation), path[1:]
    if table is not None:
        return _walk(table, rest)
    if each is not None:
        return _walk(each, rest[1:]) if rest else Found(Place.NAMED, each)
    if get_origin(field.annotation) is dict:
        return Found(Place.FREE, section)
    return Found(Place.UNKNOWN if rest else Place.LEAF, section)


def as_table(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds, if it holds one."""
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def as_named(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds under each name, if it is such a table."""
    if get_origin(annotation) is not dict:
        return None
    return as_table(get_args(annotation)[1])


def is_secret(path: Keys) -> bool:
    """Whether what stands there is never shown."""
    found = find(path)
    if found.place is Place.LEAF:
        return _holds_secret(found.section.model_fields[path[-1]].annotation)
    if found.place is Place.FREE:  # `headers.authorization`: the table is a field, the key under it anybody's
        return any(
            key in found.section.model_fields and _holds_secret(found.section.model_fields[key].annotation)
            for key in path[:-1]
        )
    return False


def _holds_secret(annotation: Any) -> bool:
    return SecretStr.__name__ in str(annotation)


def known_paths(near: Keys = ()) -> Iterator[Keys]:
    """All leaves; of the tables that people name, those under the name in `near`."""
    yield from _leaves(Config, (), near)


def _leaves(section: type[BaseModel], above: Keys, near: Keys) -> Iterator[Keys]:
    for key, field in section.model_fields.items():
        path = (*above, key)
        table, each = as_table(field.annotation), as_named(field.annotation)
        if table is not None:
            yield from _leaves(table, path, near)
        elif each is None:
            yield path
        elif near[: len(path)] == path and len(near) > len(path):
            yield from _leaves(each, near[: len(path) + 1], near)
