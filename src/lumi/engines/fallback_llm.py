"""Models in a list: when one fails, the next answers, or finishes the answer that was begun."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from lumi.engines.base import EmotionHint, Llm, LlmEvent, Prompt, TextDelta, ToolCall
from lumi.engines.continuation import Joint, WholeWords, continuing
from lumi.engines.roster import Attempt, Roster
from lumi.errors import EngineError


class FallbackLlm:
    """The `Llm` seam over a list of models.

    - Before the first word of an answer, the next model is asked the same.
    - In the middle of it, the next one is told what has been said and goes on from there. One that only knows how to
      answer whole questions (its `continues` is false) is passed over.
    - After a tool call the answer counts as complete as it is: whoever calls the tools asks again with their results,
      and the next model answers then. No call is made twice.
    """

    def __init__(self, roster: Roster[Llm]) -> None:
        self.roster = roster
        self.name = roster.first.name

    @property
    def continues(self) -> bool:
        """Whether one of them can finish an answer that somebody else began."""
        return any(_continues(engine) for engine in self.roster.engines)

    @property
    def sees_images(self) -> bool:
        """Whether pictures may be sent: then only those that look at them are asked about one."""
        return any(_sees(engine) for engine in self.roster.engines)

    async def start(self) -> None:
        await self.roster.start()

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        answer = Answer()
        problem: EngineError | None = None
        for attempt in self.roster.attempts():
            if not _fits(attempt.engine, prompt, answer):
                continue
            with attempt:
                async with aclosing(self._answered_by(attempt, prompt, answer)) as events:
                    async for event in events:
                        yield event
                return
            problem = problem or attempt.error
            if answer.acted:
                return
        if problem is not None:
            raise problem

    async def _answered_by(
        self, attempt: Attempt[Llm], prompt: Prompt, answer: Answer
    ) -> AsyncGenerator[LlmEvent, None]:
        asked = continuing(prompt, answer.said) if answer.said else prompt
        words, joint = WholeWords(), Joint(answer.said) if answer.said else None
        async with aclosing(attempt.read(attempt.engine.reply(asked))) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    text = event.text if joint is None else joint.feed(event.text)
                    if text := text if attempt.alone else words.feed(text):
                        yield answer.say(text)
                elif isinstance(event, ToolCall):
                    if text := _rest(joint, words):
                        yield answer.say(text)
                    answer.acted = True
                    yield event
                elif not isinstance(event, EmotionHint) or answer.feels():
                    yield event
        if text := _rest(joint, words):
            yield answer.say(text)

    async def aclose(self) -> None:
        await self.roster.aclose()


class Answer:
    """What of an answer has been given so far, by whomever."""

    def __init__(self) -> None:
        self.said = ""
        self.acted = False
        """A tool is being called."""
        self._felt = False

    def say(self, text: str) -> TextDelta:
        self.said += text
        return TextDelta(text)

    def feels(self) -> bool:
        """Whether it may still be said how the answer is meant."""
        first = not self._felt and not self.said
        self._felt = True
        return first


def _sees(engine: Llm) -> bool:
    return bool(getattr(engine, "sees_images", False))


def _fits(engine: Llm, prompt: Prompt, answer: Answer) -> bool:
    """Whether an engine can take over here: amid an answer, or where there is a picture to look at."""
    blind = any(message.images for message in prompt.messages) and not _sees(engine)
    return not blind and (not answer.said or _continues(engine))


def _continues(engine: Llm) -> bool:
    return bool(getattr(engine, "continues", True))


def _rest(joint: Joint | None, words: WholeWords) -> str:
    held = "" if joint is None else joint.flush()
    return words.feed(held) + words.flush()
