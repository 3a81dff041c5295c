"""Tools in the hands of a model that speaks for itself: it asks the user about those that open doors or spend money, and
its call goes through only in the turn of a clear yes.

    call ──▶ not done: ask ──▶ words of the next turn ─┬─ a clear yes ──▶ the very same call: done, once
                                                       └─ anything else ─▶ not done
"""

from __future__ import annotations

from collections.abc import Sequence

from lumi.engines.base import Speaker, ToolCall, ToolResult, ToolSpec
from lumi.tools.confirmation import ONE_AT_A_TIME, Confirmation, is_no, is_yes
from lumi.tools.phrases import question
from lumi.tools.toolbox import Outcome, Toolbox, Used

ASK = (
    'Not done yet. Ask the user exactly this: "{question}" Call {name} again, with the very same arguments, only after '
    "they have answered with a clear yes, and nothing but a yes."
)
DECLINED = "Not done: the user has said no."


class AskingTools:
    """The `Tools` of one turn. What the user says is taken from `Speaker.words`, never from the model.

    `confirmation` is the session's: a question of one turn is answered in the next, whoever asked it.
    """

    def __init__(self, toolbox: Toolbox, confirmation: Confirmation) -> None:
        self.name = toolbox.name
        self._toolbox = toolbox
        self._confirmation = confirmation
        self._begun = False
        self._open: ToolCall | None = None
        """What the user was asked about in the turn before."""
        self._asked: ToolCall | None = None
        """What they are asked about in this one."""

    async def specs(self, speaker: Speaker) -> Sequence[ToolSpec]:
        self._begin()
        return await self._toolbox.specs(speaker)

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        """Call a tool, or say what to ask first."""
        self._begin()
        used = await self._toolbox.use(call, speaker)
        if used.outcome is not Outcome.CONFIRM:
            return used.result
        if _same(self._open, used.exact):
            if is_yes(speaker.words):
                self._open = None
                return (await self._toolbox.use(call, speaker, confirmed=True)).result
            if is_no(speaker.words):
                return ToolResult(DECLINED, failed=True)
        return self._ask(used, speaker.language)

    async def aclose(self) -> None:
        """Nothing is held."""

    def _begin(self) -> None:
        """Whatever is said in this turn closes the question of the one before."""
        if not self._begun:
            self._begun = True
            self._open = self._confirmation.take()

    def _ask(self, used: Used, language: str) -> ToolResult:
        if self._asked is not None and not _same(self._asked, used.exact):
            return ToolResult(ONE_AT_A_TIME, failed=True)
        self._asked = used.exact
        self._confirmation.ask(used.exact)
        asked = question(used.title, used.arguments, language)
        return ToolResult(ASK.format(question=asked, name=used.call.name), failed=True)


def _same(one: ToolCall | None, other: ToolCall) -> bool:
    """Ids are of one turn."""
    return one is not None and (one.name, one.arguments) == (other.name, other.arguments)
