"""Which device may use which tool. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

ANY = ("*",)


@dataclass(frozen=True, slots=True)
class Rule:
    """For devices whose id fits one of `devices`: tools that fit `allow` and none of `deny`.

    All are patterns with `*` and `?`; a tool is named `source.tool`.
    """

    devices: Sequence[str] = ANY
    allow: Sequence[str] = ANY
    deny: Sequence[str] = ()


def fits(name: str, patterns: Sequence[str]) -> bool:
    """Whether `name` fits one of the patterns, large and small letters alike."""
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def permitted(rules: Sequence[Rule], device_id: str, tool: str) -> bool:
    """Whether every rule about this device lets it use this tool; where there is no rule, it may."""
    return all(
        fits(tool, rule.allow) and not fits(tool, rule.deny)
        for rule in rules
        if fits(device_id, rule.devices)
    )
