"""Exact commands of the skills, answered at once; everything else goes to the model behind."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from lumi.engines.base import EmotionHint, Llm, LlmEvent, Prompt, TextDelta
from lumi.skills.assistant import SkillsLlm


class SkillsFirst:
    """An `Llm` before another one.

    Args:
        llm: answers whatever is no command.
        skills: gives the skills, once they are loaded.
    """

    def __init__(self, llm: Llm, skills: Callable[[], Awaitable[SkillsLlm]]) -> None:
        self.name = llm.name
        self._llm = llm
        self._skills = skills

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        asked = bool(prompt.messages) and prompt.messages[-1].role == "user"
        done = await (await self._skills()).command(prompt) if asked else None
        if done is not None:
            yield EmotionHint(done.emotion)
            yield TextDelta(done.text)
            return
        stream = self._llm.reply(prompt)
        try:
            async for event in stream:
                yield event
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    async def aclose(self) -> None:
        """Both belong to whoever made them."""
