"""The tools that the settings name, kept up in the background. Read anew, the settings keep every source whose own part of
them stayed as it was, with its connection; what no turn needs any more is closed.

    settings ──▶ furnish ──▶ Tooling, of one generation ──▶ turns
                    └──▶ sources, each with a task that keeps it up, until no generation has it
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from lumi.config import Config
from lumi.config.tools import HomeAssistantSettings, McpServerSettings
from lumi.engines.base import Tools
from lumi.errors import ConfigError
from lumi.server.background import Background
from lumi.server.bells import Bells
from lumi.server.tooling import Count, Tooling, uses_models
from lumi.store.base import Store
from lumi.tools.functions import FunctionTools
from lumi.tools.loop import LoopSettings
from lumi.tools.mcp_servers import McpServer, McpSettings
from lumi.tools.once import Once
from lumi.tools.toolbox import ToolboxSettings


@dataclass(frozen=True, slots=True)
class Wish:
    """A source that the settings ask for. Alike in name and settings, it is the same."""

    name: str
    settings: Any
    make: Callable[[], Tools]


@dataclass(slots=True)
class Kept:
    """A source in use."""

    wish: Wish
    source: Tools
    job: asyncio.Task[None]
    holders: int = 0
    """How many generations have it."""


@dataclass(frozen=True, slots=True)
class Equipped:
    """The tools of one generation, none where no model could use them, and how they are given back."""

    tooling: Tooling | None
    give_back: Callable[[], None]


NO_TOOLS = Equipped(None, lambda: None)


class ToolRoom:
    """Makes them. Used as `async with`.

    Args:
        bells: has the built-in skills.
        store: remembers what was done.
        wall_clock: UNIX seconds.
        count: told of every call.
    """

    def __init__(self, bells: Bells, store: Store, wall_clock: Callable[[], float], count: Count) -> None:
        self._skills = bells.skills()
        self._once = Once(store.acts, wall_clock)
        self._wall_clock = wall_clock
        self._count = count
        self._kept: list[Kept] = []
        self._jobs = Background()

    async def __aenter__(self) -> Self:
        await self._jobs.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._jobs.__aexit__(kind, error, trace)

    def furnish(self, config: Config) -> Equipped:
        """Make the tools of a generation; they are connected beside everything else.

        Raises:
            ConfigError: a tool server is neither a program nor an address, or the home's token is missing.
        """
        if not uses_models(config):
            return NO_TOOLS
        shared: list[Tools] = []
        with ExitStack() as stack:
            for wish in self._wishes(config):
                kept = self._take(wish)
                stack.callback(self._give_back, kept)
                shared.append(kept.source)
            give_back = stack.pop_all().close
        if config.llm.skills_first:
            self._jobs.start("load skills", self._skills.start())
        return Equipped(self._tooling(config, shared), give_back)

    def _tooling(self, config: Config, shared: Sequence[Tools]) -> Tooling:
        given = config.tools
        return Tooling(
            shared=shared,
            toolbox=ToolboxSettings(timeout_s=given.timeout_s, confirm=given.confirm, most=given.most),
            loop=LoopSettings(steps=given.steps, filler_s=given.filler_s),
            once=self._once,
            count=self._count,
            skills=self._skills.made,
            skills_first=config.llm.skills_first,
        )

    def _wishes(self, config: Config) -> Iterator[Wish]:
        yield Wish("functions", None, FunctionTools)
        for name, given in config.mcp.items():
            yield Wish(f"mcp.{name}", given, lambda name=name, given=given: mcp_server(name, given))  # type: ignore[misc]
        home = config.home_assistant
        if home.url:
            yield Wish("home_assistant", home, lambda: _home(home))
        if config.tools.skills:
            yield Wish("skills", None, self._skill_tools)

    def _skill_tools(self) -> Tools:
        from lumi.skills.as_tools import SkillTools

        return SkillTools(self._skills.made, self._wall_clock)

    def _take(self, wish: Wish) -> Kept:
        same = (one for one in self._kept if (one.wish.name, one.wish.settings) == (wish.name, wish.settings))
        kept = next(same, None)
        if kept is None:
            source = wish.make()
            kept = Kept(wish, source, self._jobs.start(f"tools of {source.name}", _keep_up(source)))
            self._kept.append(kept)
        kept.holders += 1
        return kept

    def _give_back(self, kept: Kept) -> None:
        kept.holders -= 1
        if not kept.holders:
            self._kept.remove(kept)
            kept.job.cancel()


async def _keep_up(source: Tools) -> None:
    """Until cancelled: load a source and keep its connection; then close it."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for job in (getattr(source, "start", None), getattr(source, "run", None)):
                if job is not None:
                    tasks.create_task(job(), name=f"{source.name} at work")
            await asyncio.Event().wait()
    finally:
        await source.aclose()


def mcp_server(name: str, given: McpServerSettings) -> McpServer:
    """One tool server."""
    if bool(given.command) == bool(given.url):
        problem = "give either command, a program to start, or url, the address of one that runs"
        raise ConfigError(f"mcp.{name}", problem)
    headers = {key: str(value) for key, value in given.headers.items()}
    if given.token is not None:
        headers["Authorization"] = f"Bearer {given.token.get_secret_value()}"
    settings = McpSettings(
        command=given.command,
        args=given.args,
        env={key: str(value) for key, value in given.env.items()},
        url=given.url,
        headers=headers,
        timeout_s=given.timeout_s,
        allow=given.allow,
    )
    return McpServer(name, settings)


def _home(given: HomeAssistantSettings) -> Tools:
    from lumi.tools.home_assistant import HomeAssistant

    if given.token is None:
        raise ConfigError(
            "home_assistant.token",
            "is missing; make a long-lived access token in Home Assistant's profile page",
        )
    return HomeAssistant(given.url, given.token.get_secret_value(), given.entities, given.guarded)
