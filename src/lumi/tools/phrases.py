"""What is said around tools, in the user's language."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from lumi.engines.base import ChatMessage


class Phrase(StrEnum):
    """Occasions."""

    ONE_MOMENT = "one_moment"
    CONFIRM = "confirm"
    CONFIRM_WITH = "confirm_with"
    DECLINED = "declined"


_WORDINGS: dict[str, dict[Phrase, str]] = {
    "en": {
        Phrase.ONE_MOMENT: "One moment, please. ",
        Phrase.CONFIRM: "Shall I really do this: {title}? Please say yes or no.",
        Phrase.CONFIRM_WITH: "Shall I really do this: {title}, with {arguments}? Please say yes or no.",
        Phrase.DECLINED: "All right, I won't do it.",
    },
    "zh": {
        Phrase.ONE_MOMENT: "请稍等。",
        Phrase.CONFIRM: "真的要执行“{title}”吗？请回答“是”或“不”。",
        Phrase.CONFIRM_WITH: "真的要执行“{title}”（{arguments}）吗？请回答“是”或“不”。",
        Phrase.DECLINED: "好的，那就不做了。",
    },
}
LONGEST_VALUE = 80


def phrase(occasion: Phrase, language: str, **values: str) -> str:
    """The wording for an occasion in `zh` or, for any other language, English."""
    return _WORDINGS["zh" if language.startswith("zh") else "en"][occasion].format(**values)


def question(title: str, arguments: Mapping[str, Any], language: str) -> str:
    """Asks whether a tool shall really be called, and shows with what."""
    shown = ", ".join(f"{name.replace('_', ' ')}: {_value(value)}" for name, value in arguments.items())
    if not shown:
        return phrase(Phrase.CONFIRM, language, title=title)
    return phrase(Phrase.CONFIRM_WITH, language, title=title, arguments=shown)


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


def without_fillers(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The dialogue as the model is to see it: what we said to pass the time was not its answer."""
    fillers = [wording[Phrase.ONE_MOMENT] for wording in _WORDINGS.values()]
    cleaned = []
    for message in messages:
        content = message.content
        if message.role == "assistant":
            for filler in fillers:
                content = content.removeprefix(filler)
        cleaned.append(
            message
            if content == message.content
            else ChatMessage("assistant", content, message.tool_call_id, message.tool_calls, message.images)
        )
    return cleaned
