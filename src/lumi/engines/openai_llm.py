"""Answers by any service that speaks OpenAI's chat completions: OpenAI, Ollama, vLLM, llama.cpp, LM Studio, DeepSeek …"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec

from lumi.engines.base import LlmEvent, Prompt, TextDelta
from lumi.engines.openai_credit import codes_of
from lumi.engines.openai_endpoint import NAME, Transport, endpoint, read_options
from lumi.engines.openai_errors import BrokeOff, ErrorWithin, code_of, words_of
from lumi.engines.openai_messages import CallsInPieces, Choice, Chunk, Delta, ToolNames, messages, tools
from lumi.engines.openai_service import Answer, Service, events
from lumi.engines.thoughts import Spoken

DONE = b"[DONE]"
"""The last event."""


class LlmOptions(Transport, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `llm.options` takes."""

    temperature: float | None = None
    max_tokens: int | None = None
    reasoning_effort: str | None = None
    thinking: bool = False
    """The model begins in the middle of its thoughts, without a `<think>`."""

    def fields(self) -> dict[str, Any]:
        """Those that go into the request."""
        given = {
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "reasoning_effort": self.reasoning_effort,
        }
        return {name: value for name, value in given.items() if value is not None}


class OpenAiLlm:
    """The `Llm` seam over chat completions, streamed.

    Args:
        base_url: the service's; by default OpenAI's.
        api_key: what it wants to see, if anything.
        model: by default the first fitting one that the service lists.
        options: `LlmOptions`.

    Raises:
        ConfigError: one of these is wrong.
        EngineUnavailable: the SDK is not installed.
    """

    name = NAME
    sees_images = True
    """Messages may have pictures; whether the model can look at them, only the service knows."""

    def __init__(self, base_url: str = "", api_key: str = "", model: str = "", **options: Any) -> None:
        self._options = read_options("llm", options, LlmOptions)
        self._service = Service(endpoint("llm", base_url, api_key, model), self._options)

    async def start(self) -> None:
        """Load the SDK, choose a model."""
        await self._service.start()

    async def probe(self) -> None:
        """Whether the service is there, and takes the key. Raises `EngineError`."""
        await self._service.probe()

    async def aclose(self) -> None:
        await self._service.aclose()

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        """The answer's text as it comes, then the tools it calls. Raises `EngineError`."""
        model = await self._service.model()
        names = ToolNames(prompt.tools)
        request: dict[str, Any] = {"model": model, "messages": messages(prompt, names)}
        if prompt.tools:
            request["tools"] = tools(prompt.tools, names)
        request |= self._options.fields()
        calls = CallsInPieces(names)
        spoken = Spoken(thinking=self._options.thinking)
        async with (
            self._service.ask(
                lambda client: client.chat.completions.with_streaming_response.create(
                    **request, stream=True, extra_body=self._options.extra or None
                ),
                model,
            ) as answer,
            aclosing(_deltas(answer)) as deltas,
        ):
            async for delta in deltas:
                for piece in delta.tool_calls or ():
                    calls.add(piece)
                if text := spoken.feed(delta.text):
                    yield TextDelta(text)
        if text := spoken.finish():
            yield TextDelta(text)
        for call in calls.whole():
            yield call


async def _deltas(answer: Answer) -> AsyncGenerator[Delta, None]:
    """The pieces of an answer. Raises `BadAnswer` where it is none, or does not come to its end."""
    ended = False
    async with aclosing(events(answer)) as stream:
        async for data in stream:
            if data == DONE:
                return
            choice = _choice(data)
            if choice is None:
                continue
            yield choice.delta or choice.message or Delta()
            if choice.finish_reason == "content_filter":
                raise ErrorWithin("its content filter stopped the answer", 400)
            ended = ended or choice.finish_reason is not None
    if not ended:
        raise BrokeOff("its end did not come")


def _choice(data: bytes) -> Choice | None:
    """What one event says; None for one that only counts."""
    chunk = msgspec.json.decode(data, type=Chunk)
    if chunk.error:
        raise ErrorWithin(words_of(chunk.error), code_of(chunk.error), codes_of(chunk.error))
    return chunk.choices[0] if chunk.choices else None
