"""Names of tools: `server.tool` for people, and what a model may call them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

LONGEST = 64
"""Characters of a function's name that models take, of `A-Z a-z 0-9 _ -`."""

_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
_GAPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+")


def full_name(source: str, tool: str) -> str:
    """How people and settings name a tool of `source`."""
    return f"{source}.{tool}" if source else tool


def offered_names(full_names: Iterable[str]) -> Mapping[str, str]:
    """For each full name one that a model may call: fit, at most 64 characters, no two alike, always the same."""
    wanted = {name: _fit(name) for name in full_names}
    count: dict[str, int] = {}
    for fit in wanted.values():
        count[fit] = count.get(fit, 0) + 1
    return {
        name: fit if count[fit] == 1 and fit == _UNFIT.sub("_", name) else _marked(name, fit)
        for name, fit in wanted.items()
    }


def _fit(name: str) -> str:
    return _UNFIT.sub("_", name)[:LONGEST] or "_"


def _marked(name: str, fit: str) -> str:
    mark = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{fit[: LONGEST - 9]}_{mark}"


def in_words(tool: str) -> str:
    """`unlockDoor`, `unlock_door` → `unlock door`."""
    return " ".join(_GAPS.sub(" ", tool).split()).lower() or tool
