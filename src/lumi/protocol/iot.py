"""The older way in which boards say what they can do: things with properties and methods, in `iot` messages.

    descriptors  [{"name": "Speaker", "description": …,
                   "properties": {"volume": {"description": …, "type": "number"}},
                   "methods": {"SetVolume": {"description": …, "parameters": {"volume": {…, "type": "number"}}}}}]
    states       [{"name": "Speaker", "state": {"volume": 50}}]
    commands     [{"name": "Speaker", "method": "SetVolume", "parameters": {"volume": 50}}]

Read leniently and within bounds; what makes no sense is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lumi.protocol.json_rpc import Json

MAX_THINGS = 64
MAX_METHODS = 64
MAX_PARAMETERS = 32
MAX_CHARS = 500
JSON_TYPES = {"number": "number", "integer": "integer", "boolean": "boolean", "string": "string"}


@dataclass(frozen=True, slots=True)
class Method:
    """Something a thing can do. `schema` is the JSON Schema of its arguments."""

    name: str
    description: str
    schema: Json


@dataclass(frozen=True, slots=True)
class Thing:
    """A part of a device. `properties`: name → what it is."""

    name: str
    description: str
    properties: Mapping[str, str]
    methods: tuple[Method, ...]


def read_descriptors(descriptors: Iterable[Json]) -> list[Thing]:
    """The things that make sense."""
    return [
        Thing(
            name,
            _text(one.get("description")),
            {key: _text(_table(told).get("description")) for key, told in _items(one.get("properties"))},
            tuple(_method(key, _table(told)) for key, told in _items(one.get("methods"))),
        )
        for one in descriptors
        if (name := _text(one.get("name")))
    ]


def read_states(states: Iterable[Json]) -> dict[str, Json]:
    """Thing → its properties as they are now."""
    return {
        name: dict(_items(one.get("state")))
        for one in states
        if (name := _text(one.get("name"))) and isinstance(one.get("state"), dict)
    }


def command(thing: str, method: str, parameters: Json) -> Json:
    """One entry of `commands`."""
    return {"name": thing, "method": method, "parameters": parameters}


def _method(name: str, told: Json) -> Method:
    properties: dict[str, Json] = {}
    for key, parameter in _items(told.get("parameters"))[:MAX_PARAMETERS]:
        kind = JSON_TYPES.get(_text(_table(parameter).get("type")))
        said = {"description": _text(_table(parameter).get("description"))}
        properties[key] = said if kind is None else said | {"type": kind}
    schema: Json = {"type": "object", "properties": properties, "required": list(properties)}
    return Method(name, _text(told.get("description")), schema)


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(_table(value).items())[:MAX_METHODS]


def _table(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value[:MAX_CHARS] if isinstance(value, str) else ""
