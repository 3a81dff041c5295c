"""Tools as plain typed Python functions:

    @lumi.tool
    def bus(stop: str, minutes: int = 30) -> str:
        \"\"\"Say which buses leave from a stop.

Args:
            stop: the stop's name.
            minutes: how far to look ahead.
        \"\"\"

The docstring's first part is what a model reads, the annotations are the schema. A function is found by an entry point of
the group `lumi.tools` that names it, or a module or a list with several. Functions that are not `async` run in a thread.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Annotated, Any, TypeVar, get_type_hints, overload

import msgspec
import structlog

from lumi.engines.base import Speaker, ToolCall, ToolResult, ToolSpec
from lumi.errors import ConfigError, ToolError
from lumi.tools.threads import OwnThreads

GROUP = "lumi.tools"
MARK = "__lumi_tool__"

_ARGUMENTS = re.compile(r"^\s*(?:Args|Arguments|Parameters):\s*$", re.MULTILINE)
_SECTION = re.compile(r"^\s*(?:Returns|Raises|Yields|Example|Examples|Note|Notes):\s*$", re.MULTILINE)
_ARGUMENT = re.compile(r"^\s*(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")

F = TypeVar("F", bound=Callable[..., Any])

log = structlog.get_logger("lumi.tools")


@dataclass(frozen=True, slots=True)
class Mark:
    """What `tool` was told."""

    name: str = ""
    title: str = ""
    confirm: bool = False
    read_only: bool = False


@overload
def tool(function: F) -> F: ...


@overload
def tool(
    *, name: str = "", title: str = "", confirm: bool = False, read_only: bool = False
) -> Callable[[F], F]: ...


def tool(
    function: F | None = None,
    *,
    name: str = "",
    title: str = "",
    confirm: bool = False,
    read_only: bool = False,
) -> F | Callable[[F], F]:
    """Make a tool of a function; it stays what it is.

    Args:
        function: the function, where it stands without brackets.
        name: by default the function's.
        title: what it does, as one would say it, for the question before it: `unlock the front door`.
        confirm: it opens doors or spends money: the user is asked before it is called.
        read_only: it changes nothing: it may be called as often as one likes.
    """

    def marked(made: F) -> F:
        setattr(made, MARK, Mark(name, title, confirm, read_only))
        return made

    return marked if function is None else marked(function)


class FunctionTool:
    """One function, its spec, and how to call it.

    Raises:
        ConfigError: its parameters cannot be given by a model; the message says which.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        mark = getattr(function, MARK, Mark())
        self._function = function
        self._threads = OwnThreads()
        self._speaker_at = ""
        summary, described = _docstring(inspect.getdoc(function) or "")
        named = mark.name or function.__name__
        try:
            self._arguments = self._struct(function, described)
            (_,), defined = msgspec.json.schema_components([self._arguments], ref_template="#/$defs/{name}")
        except (TypeError, NameError) as error:
            problem = f"{function.__module__}.{function.__qualname__} cannot be a tool: {error}"
            raise ConfigError(f"tool {named}", problem) from error
        schema = dict(defined.pop(self._arguments.__name__))
        schema.pop("title", None)
        if defined:
            schema["$defs"] = defined
        self.spec = ToolSpec(
            named, summary, schema, confirm=mark.confirm, read_only=mark.read_only, title=mark.title
        )

    def _struct(self, function: Callable[..., Any], described: Mapping[str, str]) -> type[msgspec.Struct]:
        """What takes the arguments in: a field for each parameter that a model gives."""
        hints = get_type_hints(function, include_extras=True)
        fields: list[Any] = []
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY}:
                raise TypeError(f"parameter {parameter} cannot be given by name")
            if name not in hints:
                raise TypeError(f"parameter {name} has no annotation")
            if hints[name] is Speaker:
                self._speaker_at = name
                continue
            kind = hints[name]
            if name in described:
                kind = Annotated[kind, msgspec.Meta(description=described[name])]
            default = () if parameter.default is parameter.empty else (parameter.default,)
            fields.append((name, kind, *default))
        return msgspec.defstruct(
            f"{function.__name__}_arguments", fields, kw_only=True, forbid_unknown_fields=True
        )

    async def call(self, arguments: str, speaker: Speaker) -> ToolResult:
        """Call the function.

        Raises:
            ToolError: the arguments do not fit; or whatever the function raises.
        """
        try:
            given = msgspec.json.decode(arguments, type=self._arguments)
        except msgspec.MsgspecError as error:
            raise ToolError(self.spec.name, str(error)) from error
        named = {name: getattr(given, name) for name in given.__struct_fields__}
        if self._speaker_at:
            named[self._speaker_at] = speaker
        if inspect.iscoroutinefunction(self._function):
            result = await self._function(**named)
        else:
            work = functools.partial(contextvars.copy_context().run, self._function, **named)
            result = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        return result if isinstance(result, ToolResult) else ToolResult(_written(result))


class FunctionTools:
    """The `Tools` of functions that are given, or found by entry points."""

    name = "function"

    def __init__(self, functions: Iterable[Callable[..., Any]] = ()) -> None:
        self._tools = {made.spec.name: made for made in map(FunctionTool, functions)}

    async def start(self, entry_points: Iterable[metadata.EntryPoint] | None = None) -> None:
        """Find what is installed; foreign code is loaded, so in a thread. One that cannot be loaded is left out, and said."""
        points = metadata.entry_points(group=GROUP) if entry_points is None else entry_points
        for made in await asyncio.to_thread(_installed, tuple(points)):
            self._tools.setdefault(made.spec.name, made)

    async def specs(self, speaker: Speaker) -> Sequence[ToolSpec]:
        del speaker
        return [made.spec for made in self._tools.values()]

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        found = self._tools.get(call.name)
        if found is None:
            raise ToolError(call.name, "there is no such function")
        return await found.call(call.arguments, speaker)

    async def aclose(self) -> None:
        """Nothing is held."""


def _installed(points: Sequence[metadata.EntryPoint]) -> list[FunctionTool]:
    found = []
    for point in points:
        try:
            found += [FunctionTool(function) for function in _functions(point.load())]
        except Exception:
            log.exception("tool cannot be loaded: it is left out", entry_point=f"{GROUP}: {point.name}")
    return found


def _functions(named: Any) -> Sequence[Callable[..., Any]]:
    """A function, several, or all marked ones of a module."""
    if isinstance(named, ModuleType):
        return [value for value in vars(named).values() if inspect.isfunction(value) and hasattr(value, MARK)]
    return [named] if callable(named) else list(named)


def _docstring(text: str) -> tuple[str, Mapping[str, str]]:
    """What the function does, and what its arguments are."""
    arguments = _ARGUMENTS.search(text)
    section = _SECTION.search(text)
    ends = [match.start() for match in (arguments, section) if match]
    summary = text[: min(ends)] if ends else text
    described: dict[str, str] = {}
    name = ""
    lines = text[arguments.end() :].splitlines() if arguments else []
    for line in lines:
        if _SECTION.match(line):
            break
        if match := _ARGUMENT.match(line):
            name, described[match[1]] = match[1], match[2]
        elif name and line.strip():
            described[name] += " " + line.strip()
    return " ".join(summary.split()), described


def _written(result: Any) -> str:
    """As a model reads it."""
    if result is None:
        return "done"
    return result if isinstance(result, str) else msgspec.json.encode(result, enc_hook=str).decode()
