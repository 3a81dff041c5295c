"""Every setting as it holds, with what it is for; secrets are masked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
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
    about_zh: str
    """The same in Chinese."""


def explained(config: Config) -> Iterator[Explained]:
    """All settings, in the order of the reference; those below a name that somebody chose have no default."""
    defaults = {one.name: one.value for one in effective(Reading(Config()))}
    for one in effective(Reading(config)):
        path = tuple(one.name.split("."))
        about = described(path)
        yield Explained(one.name, one.value, defaults.get(one.name), accepted(path), about, in_chinese(about))


def in_chinese(about: str) -> str:
    """What a setting is for, in Chinese; as it stands where nobody has said it."""
    return chinese().get(about, about)


@cache
def chinese() -> Mapping[str, str]:
    """All that is said of settings, by its English."""
    return tomllib.loads(files("lumi.config").joinpath("chinese.toml").read_text(encoding="utf-8"))
