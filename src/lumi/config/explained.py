"""Every setting as it holds, with what it is for; secrets are masked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lumi.config.effective import effective
from lumi.config.loading import Reading
from lumi.config.reference import accepted, described
from lumi.config.settings import Config


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting. `value` and `default` are of the kinds that JSON knows; None: not set."""

    name: str
    value: Any
    default: Any
    accepted: str
    about: str


def explained(config: Config) -> Iterator[Explained]:
    """All settings, in the order of the reference; those below a name that somebody chose have no default."""
    defaults = {one.name: one.value for one in effective(Reading(Config()))}
    for one in effective(Reading(config)):
        path = tuple(one.name.split("."))
        yield Explained(one.name, one.value, defaults.get(one.name), accepted(path), described(path))
