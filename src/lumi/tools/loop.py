"""The function-calling loop: an `Llm` that calls tools for the `Llm` behind it until that has its answer.

ask ──▶ text ───────────────────────▶ answer
 ▲ └──▶ calls ──▶ tools, all at once ─┐
 └──────────── results ◀──────────────┘        at most so many times; then an answer without tools is asked for
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from lumi.engines.base import (
    ChatMessage,
    Llm,
    LlmEvent,
    Prompt,
    TextDelta,
    ToolCall,
    ToolNote,
    ToolSpec,
)
from lumi.engines.equal_calls import counted
from lumi.tools.confirmation import ONE_AT_A_TIME, Confirmation
from lumi.tools.phrases import Phrase, phrase, question, without_fillers
from lumi.tools.toolbox import Outcome, Toolbox, Used

BEAT_S = 1.0
"""How often a tool at work is told of, so that nobody takes the model to have stalled."""
CALLS_AT_ONCE = 16
ASKED = "Not done yet: the user is being asked for a yes. Do not call it again, and do not ask them yourself."
TOO_MANY = f"Not done: at most {CALLS_AT_ONCE} calls at once."


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How many times tools may be called for one answer, and after how long the user is told to wait."""

    steps: int = 5
    filler_s: float = 2.0


class ToolLoop:
    """The model of one session. Nothing is spoken of a call but its answer; a slow one is bridged with words.

    `confirmation` is the session's: a question of one turn is answered in the next, which may have another model.
    """

    def __init__(
        self,
        llm: Llm,
        toolbox: Toolbox,
        settings: LoopSettings | None = None,
        confirmation: Confirmation | None = None,
    ) -> None:
        self.name = llm.name
        self._llm = llm
        self._toolbox = toolbox
        self._settings = settings or LoopSettings()
        self._confirmation = confirmation or Confirmation()

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        answer = _Answer(self._llm, self._toolbox, self._confirmation, self._settings, prompt)
        async with aclosing(answer.events()) as events:
            async for event in events:
                yield event

    async def aclose(self) -> None:
        """The model belongs to all sessions: whoever made it closes it."""


class _Answer:
    """One answer in the making."""

    def __init__(
        self, llm: Llm, toolbox: Toolbox, confirmation: Confirmation, settings: LoopSettings, prompt: Prompt
    ) -> None:
        self._llm = llm
        self._toolbox = toolbox
        self._confirmation = confirmation
        self._settings = settings
        self._speaker = prompt.speaker
        self._messages = without_fillers(prompt.messages)
        self._words = prompt.messages[-1].content if prompt.messages else ""
        self._said = False
        """Something has been said, so that the user knows that we are at work."""
        self._open_sentence = False
        self._question = ""
        self._over = False
        self._calls: list[ToolCall] = []
        self._ids = 0

    async def events(self) -> AsyncGenerator[LlmEvent, None]:
        """What a yes set off first, then step by step until the model has its answer."""
        answered = self._confirmation.answered(self._words)
        if answered.declined:
            yield TextDelta(phrase(Phrase.DECLINED, self._speaker.language))
            return
        if answered.call is not None:
            async with aclosing(self._use([self._numbered(answered.call)], confirmed=True)) as events:
                async for event in events:
                    yield event
        for step in range(self._settings.steps + 1):
            tools = await self._toolbox.specs(self._speaker) if step < self._settings.steps else ()
            async with aclosing(self._step(tools)) as events:
                async for event in events:
                    yield event
            if self._over:
                return

    async def _step(self, tools: Sequence[ToolSpec]) -> AsyncGenerator[LlmEvent, None]:
        """Ask once, and call what the model wants called."""
        async with aclosing(self._ask(tools)) as events:
            async for event in events:
                yield event
        if not self._calls or not tools:
            self._over = True
            return
        async with aclosing(self._use(self._calls)) as events:
            async for event in events:
                yield event
        if self._question:
            self._over = True
            async with aclosing(self._put_question()) as events:
                async for event in events:
                    yield event

    async def _ask(self, tools: Sequence[ToolSpec]) -> AsyncGenerator[LlmEvent, None]:
        """Pass the model's words on; keep what it calls."""
        self._calls = []
        text = ""
        stream = self._llm.reply(Prompt(tuple(self._messages), self._speaker, tools))
        try:
            async for event in stream:
                if isinstance(event, ToolCall):
                    self._calls.append(self._numbered(event))
                    continue
                if isinstance(event, TextDelta) and event.text:
                    text += event.text
                    self._said = True
                    self._open_sentence = not event.text[-1].isspace()
                yield event
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
        self._calls = counted(self._calls)
        if self._calls:
            self._messages.append(ChatMessage("assistant", text, tool_calls=tuple(self._calls)))
            if self._open_sentence:  # what was said so far is spoken now, not when the tools have answered
                self._open_sentence = False
                yield TextDelta("\n")

    async def _use(
        self, calls: Sequence[ToolCall], *, confirmed: bool = False
    ) -> AsyncGenerator[LlmEvent, None]:
        """Call all at once; say that they are at work, and in words where it takes long."""
        if confirmed:
            self._messages.append(ChatMessage("assistant", "", tool_calls=tuple(calls)))
        for call in calls:
            yield ToolNote(call.name)
        # No task group: a generator that is closed in the middle may not leave one. It is closed here all the same.
        working = asyncio.create_task(self._all(calls, confirmed=confirmed), name="tools")
        try:
            async with aclosing(self._wait(working, calls[0].name)) as events:
                async for event in events:
                    yield event
        finally:
            working.cancel()
            await asyncio.wait({working})
        for used in working.result():
            self._messages.append(ChatMessage("tool", self._told(used), tool_call_id=used.call.id))
            yield ToolNote(used.name, str(used.outcome))
        for call in calls[CALLS_AT_ONCE:]:
            self._messages.append(ChatMessage("tool", TOO_MANY, tool_call_id=call.id))

    async def _wait(self, working: asyncio.Task[list[Used]], name: str) -> AsyncGenerator[LlmEvent, None]:
        clock = asyncio.get_running_loop().time
        filler_at = clock() + self._settings.filler_s
        while not working.done():
            left_s = filler_at - clock() if not self._said else BEAT_S
            await asyncio.wait({working}, timeout=max(0.0, min(BEAT_S, left_s)))
            if working.done():
                return
            if not self._said and clock() >= filler_at:
                self._said = True
                yield TextDelta(phrase(Phrase.ONE_MOMENT, self._speaker.language))
            else:
                yield ToolNote(name)

    async def _all(self, calls: Sequence[ToolCall], *, confirmed: bool) -> list[Used]:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._toolbox.use(call, self._speaker, confirmed=confirmed))
                for call in calls[:CALLS_AT_ONCE]
            ]
        return [task.result() for task in tasks]

    def _told(self, used: Used) -> str:
        """What the model is told; a tool that needs a yes becomes the question."""
        if used.outcome is not Outcome.CONFIRM:
            return used.result.text
        if self._question:
            return ONE_AT_A_TIME
        self._confirmation.ask(used.exact)
        self._question = question(used.title, used.arguments, self._speaker.language)
        return ASKED

    async def _put_question(self) -> AsyncGenerator[LlmEvent, None]:
        """Ask the user, in our own words; before it, let the model tell what else it has done."""
        if len(self._calls) > 1:
            async with aclosing(self._ask(())) as events:
                async for event in events:
                    yield event
            if self._open_sentence:
                yield TextDelta(" ")
        yield TextDelta(self._question)

    def _numbered(self, call: ToolCall) -> ToolCall:
        """Some models leave the ids out, or give the same twice."""
        self._ids += 1
        known = {known.id for message in self._messages for known in message.tool_calls}
        known |= {known.id for known in self._calls}
        return call if call.id and call.id not in known else replace(call, id=f"call-{self._ids}")
