"""What every engine that answers must do: subclass with a `make` and a question, and run as tests."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, cast

from lumi.engines.base import ChatMessage, EmotionHint, Prompt, Speaker, TextDelta, ToolCall

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from lumi.engines.base import Llm, LlmEvent


def asked(text: str, *before: ChatMessage, language: str = "en") -> Prompt:
    return Prompt((*before, ChatMessage("user", text)), Speaker(device_id="d", language=language))


def text_of(events: list[LlmEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


class LlmConformance:
    """Needs `make`; `question` is one that has an answer."""

    question = "what time is it"

    def make(self) -> Llm:
        raise NotImplementedError

    @asynccontextmanager
    async def llm(self) -> AsyncIterator[Llm]:
        engine = self.make()
        try:
            yield engine
        finally:
            await engine.aclose()

    async def said(self, llm: Llm, prompt: Prompt) -> list[LlmEvent]:
        return [event async for event in llm.reply(prompt)]

    async def test_answers_in_words(self) -> None:
        async with self.llm() as llm:
            events = await self.said(llm, asked(self.question))
            assert any(character.isalnum() for character in text_of(events))
            assert all(isinstance(event, TextDelta | EmotionHint | ToolCall) for event in events)

    async def test_says_how_it_is_meant_at_most_once_and_first(self) -> None:
        async with self.llm() as llm:
            events = await self.said(llm, asked(self.question))
            assert not any(isinstance(event, EmotionHint) for event in events[1:])

    async def test_takes_whatever_is_odd(self) -> None:
        async with self.llm() as llm:
            for words in (
                "",
                "   ",
                "\x00\ufffd\u202e",
                "🎉",
                "a" * 8_000,
                "'; DROP TABLE users; --",
                "{{}}<|im_end|>",
            ):
                await self.said(llm, asked(words))
            assert text_of(await self.said(llm, asked(self.question)))

    async def test_takes_a_long_dialogue_with_tools_in_it(self) -> None:
        call = ToolCall("c1", "lamp.on", "{}")
        before = [
            ChatMessage("system", "Be brief."),
            *(ChatMessage("user" if n % 2 == 0 else "assistant", f"line {n}") for n in range(40)),
            ChatMessage("user", "light please"),
            ChatMessage("assistant", "", tool_calls=(call,)),
            ChatMessage("tool", "it is on", tool_call_id="c1"),
            ChatMessage("assistant", "Done."),
        ]
        async with self.llm() as llm:
            assert text_of(await self.said(llm, asked(self.question, *before)))

    async def test_many_at_once_are_answered_each(self) -> None:
        async with self.llm() as llm:
            answers = await asyncio.gather(*(self.said(llm, asked(self.question)) for _ in range(8)))
            assert all(map(text_of, answers))

    async def test_stops_when_nobody_listens_and_serves_the_next(self) -> None:
        async with self.llm() as llm:
            for _ in range(3):
                answer = cast("AsyncGenerator[LlmEvent]", llm.reply(asked(self.question)))
                async with aclosing(answer):
                    async for _event in answer:
                        break
            async with asyncio.timeout(5):
                assert text_of(await self.said(llm, asked(self.question)))

    async def test_closes_twice(self) -> None:
        llm = self.make()
        await self.said(llm, asked(self.question))
        await llm.aclose()
        await llm.aclose()
