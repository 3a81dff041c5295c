"""A dialogue as chat completions want it, and a streamed answer as they send it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from lumi.engines.base import ChatMessage, Prompt, ToolCall, ToolSpec

PERSONA = {
    "en": (
        "You are Lumi, a voice assistant. Your answer will be read aloud: answer in the language of the question, "
        "briefly and in plain sentences, without Markdown, lists, tables, links or emoji."
    ),
    "zh": "你是语音助手 Lumi。你的回答会被朗读出来：请用提问的语言简短作答，使用通顺的句子，不要使用 Markdown、列表、表格、链接或表情符号。",
}
"""What a model is told where the settings do not say how the assistant should be."""

LONGEST_NAME = 64
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


class ToolNames:
    """Tools under names that the API accepts (letters, digits, `_`, `-`), and back again.

    Devices name theirs `self.lamp.turn_on`.
    """

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self._wire: dict[str, str] = {}
        self._ours: dict[str, str] = {}
        for tool in tools:
            self.wire(tool.name)

    def wire(self, name: str) -> str:
        """The API's name of a tool of ours."""
        if name not in self._wire:
            plain = shown = _NOT_IN_NAMES.sub("_", name)[:LONGEST_NAME] or "tool"
            number = 2
            while shown in self._ours:
                shown = f"{plain[: LONGEST_NAME - 4]}_{number}"
                number += 1
            self._wire[name], self._ours[shown] = shown, name
        return self._wire[name]

    def ours(self, name: str) -> str:
        """Our name of what the model called; its own word where it made one up."""
        return self._ours.get(name, name)


def messages(prompt: Prompt, names: ToolNames) -> list[dict[str, Any]]:
    """The dialogue; with words on how to speak before it, if it does not begin with any."""
    said = [_message(message, names) for message in prompt.messages]
    if any(message.role == "system" for message in prompt.messages):
        return said
    language = "zh" if prompt.speaker.language.startswith("zh") else "en"
    return [{"role": "system", "content": PERSONA[language]}, *said]


def _message(message: ChatMessage, names: ToolNames) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        text = [{"type": "text", "text": message.content}] if message.content else []
        wire["content"] = [*text, *map(_picture, message.images)]
    if message.tool_call_id is not None:
        wire["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        wire["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": names.wire(call.name), "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    return wire


def _picture(image: Any) -> dict[str, Any]:
    url = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def tools(specs: Sequence[ToolSpec], names: ToolNames) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {
                "name": names.wire(spec.name),
                "description": spec.description,
                "parameters": dict(spec.parameters) or _NO_PARAMETERS,
            },
        }
        for spec in specs
    ]


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class ToolPiece(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class Delta(msgspec.Struct):
    """A piece of an answer, or, where a service does not stream, all of it. What a model thinks is not read."""

    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[ToolPiece] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            parts = (part.get("text") for part in self.content if part.get("type") == "text")
            return "".join(part for part in parts if isinstance(part, str))
        return self.content or ""


class Choice(msgspec.Struct):
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct):
    """One event of an answer; one without choices only counts tokens."""

    choices: list[Choice] | None = None
    error: Any = None


class CallsInPieces:
    """Puts tool calls together from the pieces they are streamed in."""

    def __init__(self, names: ToolNames) -> None:
        self._names = names
        self._calls: dict[int, list[str]] = {}
        """By index: id, name, arguments."""

    def add(self, piece: ToolPiece) -> None:
        call = self._calls.setdefault(self._index(piece), ["", "", ""])
        call[0] = piece.id or call[0]
        if piece.function is not None:
            call[1] = piece.function.name or call[1]
            arguments = piece.function.arguments or ""
            call[2] += arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()

    def _index(self, piece: ToolPiece) -> int:
        """Some services leave the index out: then whoever brings an id begins a call."""
        if piece.index is not None:
            return piece.index
        last = max(self._calls, default=-1)
        begins = piece.id is not None and (last < 0 or self._calls[last][0] != piece.id)
        return last + 1 if begins or last < 0 else last

    def whole(self) -> Iterator[ToolCall]:
        """The calls, in order; one without an id gets one."""
        for index, (given, name, arguments) in sorted(self._calls.items()):
            yield ToolCall(given or f"call_{index}", self._names.ours(name), arguments.strip() or "{}")
