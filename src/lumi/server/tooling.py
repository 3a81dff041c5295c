"""Tools of a server: made from the settings, kept up in the background, handed to the turns of each session."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lumi.config import Config
from lumi.config.tools import McpServerSettings
from lumi.engines.base import Tools
from lumi.errors import ConfigError
from lumi.server.bells import SKILLS, Bells
from lumi.server.kit import Kit
from lumi.store.base import Store
from lumi.tools.asking import AskingTools
from lumi.tools.confirmation import Confirmation
from lumi.tools.functions import FunctionTools
from lumi.tools.loop import LoopSettings, ToolLoop
from lumi.tools.mcp_servers import McpServer, McpSettings
from lumi.tools.once import Once
from lumi.tools.permissions import ANY, Rule
from lumi.tools.toolbox import Outcome, Toolbox, ToolboxSettings

if TYPE_CHECKING:
    from lumi.skills.assistant import SkillsLlm

Count = Callable[[str, Outcome], None]
"""Told of every call: the tool's name (empty where there is none of that name), and how it went."""


@dataclass(frozen=True, slots=True)
class Tooling:
    """What all sessions share."""

    shared: Sequence[Tools]
    toolbox: ToolboxSettings
    loop: LoopSettings
    once: Once
    count: Count
    skills: Callable[[], Awaitable[SkillsLlm]]
    skills_first: bool

    def for_session(self, own: Sequence[Tools]) -> SessionTools:
        return SessionTools(self, own)

    async def run(self) -> None:
        """Find functions, and keep up the connections; nobody waits for either."""
        async with asyncio.TaskGroup() as tasks:
            for source in self.shared:
                for job in (getattr(source, "start", None), getattr(source, "run", None)):
                    if job is not None:
                        tasks.create_task(job(), name=f"tools of {source.name}")
            if self.skills_first:
                tasks.create_task(self._load_skills())

    async def _load_skills(self) -> None:
        await self.skills()

    async def aclose(self) -> None:
        for source in self.shared:
            await source.aclose()


class SessionTools:
    """What one session's model may do."""

    def __init__(self, tooling: Tooling, own: Sequence[Tools]) -> None:
        self._tooling = tooling
        self._own = own
        self._confirmation = Confirmation()

    def handed(self, kit: Kit) -> Kit:
        """The kit of a turn, its model with tools. The built-in skills need none."""
        tooling, llm = self._tooling, kit.llm
        said = kit.overrides
        rule = Rule(allow=ANY if said.tools_allow is None else said.tools_allow, deny=said.tools_deny or ())
        toolbox = Toolbox(
            (*self._own, *tooling.shared),
            replace(tooling.toolbox, rules=(rule,)),
            tooling.once,
            tooling.count,
        )
        kit = replace(kit, tools=AskingTools(toolbox, self._confirmation))
        if llm.name == SKILLS:
            return kit
        if tooling.skills_first:
            from lumi.skills.commands import SkillsFirst

            llm = SkillsFirst(llm, tooling.skills)
        return replace(kit, llm=ToolLoop(llm, toolbox, tooling.loop, self._confirmation))


def uses_models(config: Config) -> bool:
    """Whether anything but the built-in skills may answer somebody."""
    return config.llm.engine != SKILLS or bool(config.engines or config.devices or config.duplex.engine)


def tooling(
    config: Config, bells: Bells, store: Store, wall_clock: Callable[[], float], count: Count
) -> Tooling | None:
    """The tools that the settings name; None where no model could use them.

    Raises:
        ConfigError: a tool server is neither a program nor an address.
    """
    if not uses_models(config):
        return None
    given = config.tools
    late = bells.skills()
    shared: list[Tools] = [FunctionTools(), *(mcp_server(name, one) for name, one in config.mcp.items())]
    if config.home_assistant.url:
        shared.append(_home(config))
    if given.skills:
        from lumi.skills.as_tools import SkillTools

        shared.append(SkillTools(late.made, wall_clock))
    return Tooling(
        shared=shared,
        toolbox=ToolboxSettings(timeout_s=given.timeout_s, confirm=given.confirm, most=given.most),
        loop=LoopSettings(steps=given.steps, filler_s=given.filler_s),
        once=Once(store.acts, wall_clock),
        count=count,
        skills=late.made,
        skills_first=config.llm.skills_first,
    )


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


def _home(config: Config) -> Tools:
    from lumi.tools.home_assistant import HomeAssistant

    given = config.home_assistant
    if given.token is None:
        raise ConfigError(
            "home_assistant.token",
            "is missing; make a long-lived access token in Home Assistant's profile page",
        )
    return HomeAssistant(given.url, given.token.get_secret_value(), given.entities, given.guarded)
