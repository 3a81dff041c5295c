"""What a stand-in service answers, and how a streamed answer is put on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """The model calls a tool. `arguments`: an object, or text as a model might get it wrong."""

    name: str
    arguments: Json | str
    id: str = "call_1"

    @property
    def text(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True, slots=True)
class Thought:
    """What a reasoning model thinks, in the field that some services have for it."""

    text: str


Reply = str | Sequence[str | Call | Thought]
"""Text (sent in pieces), or a series of texts and calls."""

Answers = Callable[[list[Json]], Reply] | Mapping[str, Reply]
"""The dialogue → reply; or the last message's text → reply. What is not in the table is answered by `echo`."""


def echo(messages: list[Json]) -> str:
    """What is answered unless told otherwise."""
    said = text_of(messages[-1]) if messages else ""
    if messages and messages[-1].get("role") == "tool":
        return f"It says: {said}."
    return f"You said: {said}. That is all."


def text_of(message: Json) -> str:
    """The words of a message, pictures left out."""
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(part["text"] for part in content if part.get("type") == "text")
    return content or ""


def reply_to(answers: Answers, messages: list[Json]) -> list[str | Call | Thought]:
    if callable(answers):
        reply = answers(messages)
    else:
        reply = answers.get(text_of(messages[-1]) if messages else "", echo(messages))
    return [reply] if isinstance(reply, str) else list(reply)


def chunks(reply: Sequence[str | Call | Thought], model: str) -> Iterator[Json]:
    """A streamed answer, event by event: words, calls in pieces, the end, and a count of tokens."""
    yield _chunk(model, {"role": "assistant", "content": ""})
    calls = 0
    for part in reply:
        if isinstance(part, Call):
            yield from (_chunk(model, {"tool_calls": [piece]}) for piece in _call_pieces(part, calls))
            calls += 1
        elif isinstance(part, Thought):
            yield from (_chunk(model, {"reasoning_content": piece}) for piece in _pieces(part.text))
        else:
            yield from (_chunk(model, {"content": piece}) for piece in _pieces(part))
    yield _chunk(model, {}, "tool_calls" if calls else "stop")
    yield {"id": "stand-in", "object": "chat.completion.chunk", "model": model, "choices": [], "usage": {}}


def whole(reply: Sequence[str | Call | Thought], model: str) -> Json:
    """The same in one piece."""
    calls = [
        {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.text}}
        for part in reply
        if isinstance(part, Call)
    ]
    message: Json = {
        "role": "assistant",
        "content": "".join(part for part in reply if isinstance(part, str)),
    }
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    return {"id": "stand-in", "object": "chat.completion", "model": model, "choices": [choice]}


def transcript_events(text: str) -> list[Json]:
    """A transcript piece by piece."""
    deltas = [{"type": "transcript.text.delta", "delta": f"{word} "} for word in text.split()]
    return [*deltas, {"type": "transcript.text.done", "text": text}]


def on_the_wire(events: Sequence[Json], *, done: bool = True) -> bytes:
    """Events as `text/event-stream`, with a comment before them, as some gateways send."""
    lines = [": stand-in\n\n", *(f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events)]
    return "".join([*lines, "data: [DONE]\n\n"] if done else lines).encode()


def torn(data: bytes, size: int) -> list[bytes]:
    """Pieces whose borders fall anywhere, within lines and characters too."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def _chunk(model: str, delta: Json, finish: str | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "stand-in", "object": "chat.completion.chunk", "model": model, "choices": [choice]}


def _pieces(text: str) -> Iterator[str]:
    """As models send them: a few characters at a time, words and marks cut."""
    yield from (text[at : at + 4] for at in range(0, len(text), 4))


def _call_pieces(call: Call, index: int) -> Iterator[Json]:
    yield {
        "index": index,
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": ""},
    }
    for piece in _pieces(call.text):
        yield {"index": index, "function": {"arguments": piece}}
