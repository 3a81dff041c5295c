"""A model that calls a tool twice in one answer means it twice: two equal timers, two bottles of milk."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lumi.engines.base import ToolCall


def counted(calls: Sequence[ToolCall]) -> list[ToolCall]:
    """The calls of one answer, those that are equal told apart by `nth`."""
    before: Counter[tuple[str, str]] = Counter()
    found = []
    for call in calls:
        same = (call.name, _plain(call.arguments))
        found.append(replace(call, nth=before[same]))
        before[same] += 1
    return found


def _plain(arguments: str) -> str:
    """The same text for the same arguments, however they were written."""
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments.strip()
