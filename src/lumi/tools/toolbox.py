"""All tools of one session, joined: named for a model, permitted, checked, done once, in time.

functions · MCP servers · home · skills · the device's own ──▶ Toolbox ──▶ ToolLoop ──▶ model
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import structlog

from lumi.engines.base import Speaker, ToolCall, ToolResult, Tools, ToolSpec
from lumi.errors import LumiError, ToolError
from lumi.tools.arguments import canonical, read
from lumi.tools.names import full_name, in_words, offered_names
from lumi.tools.once import Once
from lumi.tools.permissions import Rule, fits, permitted

RESULT_CHARS = 8_000
"""Of a tool's result; the rest is cut off, so that one answer does not fill a model's whole memory."""
BEFORE = "\n(This came of the same call before, in this very turn. It was not done once more.)"
SPECS_S = 2.0
"""How long a source may take to say what it has; it is left out of this turn then."""

log = structlog.get_logger("lumi.tools")


class Outcome(StrEnum):
    """How a call went."""

    DONE = "done"
    FAILED = "failed"
    """The tool could not do it."""
    AGAIN = "again"
    """It was done in this turn before."""
    INVALID = "invalid"
    """The arguments make no sense."""
    UNKNOWN = "unknown"
    """There is no such tool for this device."""
    SLOW = "slow"
    BROKEN = "broken"
    CONFIRM = "confirm"
    """Not called: the user is to be asked."""


@dataclass(frozen=True, slots=True)
class ToolboxSettings:
    """How tools are used.

    Args:
        timeout_s: how long a tool may take, unless its source says otherwise (an attribute `timeout_s`).
        confirm: patterns of tools that the user is asked about, beside those that ask for it themselves.
        rules: which device may use which tools.
        most: tools a model is told of; models take no more.
    """

    timeout_s: float = 20.0
    confirm: Sequence[str] = ()
    rules: Sequence[Rule] = ()
    most: int = 128


@dataclass(frozen=True, slots=True)
class Entry:
    """One tool: `name` as people say it, `spec` as its source gave it."""

    name: str
    source: Tools
    spec: ToolSpec
    confirm: bool

    @property
    def title(self) -> str:
        return self.spec.title or in_words(self.spec.name)


@dataclass(frozen=True, slots=True)
class Used:
    """What came of a call."""

    call: ToolCall
    name: str
    outcome: Outcome
    result: ToolResult
    title: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exact(self) -> ToolCall:
        """The call as it would be made: the same, however a model writes it."""
        return replace(self.call, arguments=canonical(self.arguments))


class Toolbox:
    """A `Tools` of many. `sources` may grow: it is looked at each time."""

    name = "toolbox"

    def __init__(
        self,
        sources: Sequence[Tools],
        settings: ToolboxSettings,
        once: Once,
        on_used: Callable[[str, Outcome], None] = lambda _name, _outcome: None,
    ) -> None:
        self._sources = sources
        self._settings = settings
        self._once = once
        self._on_used = on_used

    async def specs(self, speaker: Speaker) -> Sequence[ToolSpec]:
        """Every tool that this device may use, under the name by which a model calls it."""
        entries = await self._entries(speaker)
        return [
            replace(entry.spec, name=offered, confirm=entry.confirm) for offered, entry in entries.items()
        ]

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        """As `use`; a tool that the user is to be asked about is not called."""
        return (await self.use(call, speaker)).result

    async def use(self, call: ToolCall, speaker: Speaker, *, confirmed: bool = False) -> Used:
        """Call a tool by the name in `specs`. Whatever goes wrong is said in the result, for the model to act on."""
        entry = (await self._entries(speaker)).get(call.name)
        if entry is None:
            text = f"There is no tool {call.name!r} here. Use one of those you were given, or answer without."
            used = Used(call, call.name, Outcome.UNKNOWN, ToolResult(text, failed=True))
        else:
            used = await self._use(entry, call, speaker, confirmed=confirmed)
        self._on_used("" if entry is None else entry.name, used.outcome)
        return used

    async def aclose(self) -> None:
        """Nothing is held: whoever made the sources closes them."""

    async def _use(self, entry: Entry, call: ToolCall, speaker: Speaker, *, confirmed: bool) -> Used:
        arguments: Mapping[str, Any] = {}
        try:
            arguments = read(entry.spec, call.arguments)
        except ToolError as error:
            outcome, result = Outcome.INVALID, ToolResult(str(error), failed=True)
        else:
            if entry.confirm and not confirmed:
                outcome, result = (
                    Outcome.CONFIRM,
                    ToolResult("Not done: the user must say yes first.", failed=True),
                )
            else:
                outcome, result = await self._act(
                    entry, replace(call, arguments=canonical(arguments)), speaker
                )
        return Used(call, entry.name, outcome, _cut(result), entry.title, arguments)

    async def _act(self, entry: Entry, call: ToolCall, speaker: Speaker) -> tuple[Outcome, ToolResult]:
        """One of the places where foreign code runs: it may raise anything, and the conversation goes on."""
        own = getattr(entry.source, "timeout_s", None)
        timeout_s = self._settings.timeout_s if own is None else float(own)

        async def act() -> ToolResult:
            async with asyncio.timeout(timeout_s):
                return await entry.source.call(replace(call, name=entry.spec.name), speaker)

        try:
            if entry.spec.read_only:
                result, again = await act(), False
            else:
                result, again = await self._once.do(speaker, entry.name, call.arguments, act, nth=call.nth)
        except TimeoutError:
            text = f"{entry.name}: no result within {timeout_s:g} s; it may or may not have been done"
            log.warning("tool too slow", tool=entry.name, timeout_s=timeout_s)
            return Outcome.SLOW, ToolResult(text, failed=True)
        except LumiError as error:
            log.warning("tool failed", tool=entry.name, error=str(error))
            return Outcome.FAILED, ToolResult(str(error), failed=True)
        except Exception as error:
            log.exception("tool broke", tool=entry.name)
            text = f"{entry.name}: broke with {type(error).__name__}: {error}"
            return Outcome.BROKEN, ToolResult(text, failed=True)
        if again:
            return Outcome.AGAIN, result if result.failed else replace(result, text=f"{result.text}{BEFORE}")
        return (Outcome.FAILED if result.failed else Outcome.DONE), result

    async def _entries(self, speaker: Speaker) -> Mapping[str, Entry]:
        """By the name that a model is offered."""
        sources = list(self._sources)
        found = await asyncio.gather(*(self._specs_of(source, speaker) for source in sources))
        entries: dict[str, Entry] = {}
        for source, specs in zip(sources, found, strict=True):
            for spec in specs:
                name = full_name(source.name, spec.name)
                if permitted(self._settings.rules, speaker.device_id, name):
                    confirm = spec.confirm or fits(name, self._settings.confirm)
                    entries.setdefault(name, Entry(name, source, spec, confirm))
        kept = dict(list(entries.items())[: self._settings.most])
        if len(entries) > len(kept):
            log.warning("too many tools: the last are left out", tools=len(entries), most=len(kept))
        return {offered: kept[name] for name, offered in offered_names(kept).items()}

    @staticmethod
    async def _specs_of(source: Tools, speaker: Speaker) -> Sequence[ToolSpec]:
        try:
            async with asyncio.timeout(SPECS_S):
                return await source.specs(speaker)
        except (LumiError, TimeoutError) as error:
            log.warning("tools not there", source=source.name, error=str(error) or type(error).__name__)
            return ()


def _cut(result: ToolResult) -> ToolResult:
    if len(result.text) <= RESULT_CHARS:
        return result
    return replace(result, text=result.text[:RESULT_CHARS] + " … (cut off: the result is longer)")
