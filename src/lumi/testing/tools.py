"""Tools that do what a script says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lumi.engines.base import Speaker, ToolCall, ToolResult, ToolSpec

Result = str | float | Exception | ToolResult
"""What a call comes to: words, an error to raise, or a pause in seconds before what follows it."""


@dataclass(slots=True)
class ScriptedTools:
    """Offers tools, and answers each call by its name.

    Args:
        offered: a spec for each tool, or its name alone: one that takes anything.
        results: name → what a call comes to, in order: pauses, then words or an error. Else `done`.
    """

    offered: Sequence[ToolSpec | str] = ("light_on",)
    results: Mapping[str, Sequence[Result]] = field(default_factory=dict)
    name: str = "scripted"
    calls: list[ToolCall] = field(default_factory=list)
    speakers: list[Speaker] = field(default_factory=list)
    finished: int = 0
    """Calls that came to their end; the others were cut off, or broke."""
    missing: Exception | None = None
    """Raised when asked what there is."""
    closed: bool = False

    async def specs(self, speaker: Speaker) -> Sequence[ToolSpec]:
        del speaker
        if self.missing is not None:
            raise self.missing
        return [ToolSpec(one, f"Does {one}.") if isinstance(one, str) else one for one in self.offered]

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        self.calls.append(call)
        self.speakers.append(speaker)
        result = ToolResult("done")
        for part in self.results.get(call.name, ()):
            if isinstance(part, Exception):
                raise part
            if isinstance(part, float | int):
                await asyncio.sleep(part)
            else:
                result = ToolResult(part) if isinstance(part, str) else part
        self.finished += 1
        return result

    async def aclose(self) -> None:
        self.closed = True
