"""Tools of the turns: what the settings say of them, handed to the model of each turn, beside those of its device alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lumi.config import Config
from lumi.engines.base import Tools
from lumi.server.bells import SKILLS
from lumi.server.kit import Kit
from lumi.tools.asking import AskingTools
from lumi.tools.confirmation import Confirmation
from lumi.tools.loop import LoopSettings, ToolLoop
from lumi.tools.once import Once
from lumi.tools.permissions import ANY, Rule
from lumi.tools.toolbox import Outcome, Toolbox, ToolboxSettings

if TYPE_CHECKING:
    from lumi.skills.assistant import SkillsLlm

Count = Callable[[str, Outcome], None]
"""Told of every call: the tool's name (empty where there is none of that name), and how it went."""


@dataclass(frozen=True, slots=True)
class Tooling:
    """What the turns of all sessions share, as long as the settings stay as they are."""

    shared: Sequence[Tools]
    toolbox: ToolboxSettings
    loop: LoopSettings
    once: Once
    count: Count
    skills: Callable[[], Awaitable[SkillsLlm]]
    skills_first: bool


class SessionTools:
    """What one session's model may do. `own` are the tools of its device."""

    def __init__(self, own: Sequence[Tools]) -> None:
        self._own = own
        self._confirmation = Confirmation()

    def handed(self, kit: Kit) -> Kit:
        """The kit of a turn, its model with tools. The built-in skills need none."""
        tooling, llm, said = kit.tooling, kit.llm, kit.overrides
        if tooling is None:
            return kit
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
