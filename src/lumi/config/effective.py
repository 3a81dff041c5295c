"""The settings that hold, each with who said it; secrets are masked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from lumi.config.loading import Reading
from lumi.config.tree import Keys

DEFAULT = "default"
MASK = "***"
SECRET_WORDS = ("token", "secret", "password", "key", "authorization")
"""An engine's options have no type: what is called like this is taken for a secret."""


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting. `value` is of the kinds that JSON knows; None: not set."""

    name: str
    value: Any
    source: str


def effective(reading: Reading) -> Iterator[Effective]:
    """All settings, in the order of the reference."""
    for path, value in _leaves(reading.config, ()):
        above = [path[:length] for length in range(len(path), 0, -1)]
        given = next((reading.origin[one] for one in above if one in reading.origin), None)
        yield Effective(".".join(path), _shown(path, value), given.source if given else DEFAULT)


def _leaves(value: Any, path: Keys) -> Iterator[tuple[Keys, Any]]:
    if isinstance(value, BaseModel):
        for key, below in value:
            yield from _leaves(below, (*path, key))
    elif isinstance(value, Mapping) and value:
        for key, below in value.items():
            yield from _leaves(below, (*path, str(key)))
    else:
        yield path, value


def _shown(path: Keys, value: Any) -> Any:
    named = len(path) > 2 and any(word in path[-1].lower() for word in SECRET_WORDS)
    if isinstance(value, SecretStr) or (named and isinstance(value, str) and value):
        return MASK
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [MASK if isinstance(one, SecretStr) else one for one in value]
    return None if value == {} else value
