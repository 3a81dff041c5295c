"""An answer that one model began and another one finishes: what the second is asked, and how the two are joined. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from lumi.engines.base import ChatMessage, Prompt

_ORDERS: Final = {
    "en": (
        "(Your answer broke off there. Go on with its very next word and finish it. Do not begin again, repeat nothing "
        "of what has been said, and do not mention the interruption.)"
    ),
    "zh": "（你的回答在那里中断了。请紧接着最后一个字继续说完，不要从头开始，不要重复已经说过的内容，也不要提到中断。）",
}

LONGEST_WORD: Final = 40
"""Longer runs of letters are no word; they are passed on."""

_WORD_END: Final = re.compile(r"[A-Za-z0-9'’_-]+$")
_SENTENCE_START: Final = re.compile(r"(?:[。！？…]+|[.!?]+\s)\s*")
_LETTER: Final = re.compile(r"[A-Za-z0-9]")


def continuing(prompt: Prompt, said: str) -> Prompt:
    """`prompt` for an engine that is to finish an answer of which `said` has been spoken."""
    order = _ORDERS.get(prompt.speaker.language, _ORDERS["en"])
    tail = (ChatMessage("assistant", said), ChatMessage("user", order))
    return replace(prompt, messages=(*prompt.messages, *tail))


class WholeWords:
    """Holds back a word until it is known to be whole: what breaks off in the middle of one could not be continued.

    Chinese needs none of this: each character stands for itself.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """What may be said now."""
        text = self._held + text
        last = _WORD_END.search(text)
        if last is None or len(last.group()) > LONGEST_WORD:
            self._held = ""
            return text
        self._held = last.group()
        return text[: last.start()]

    def flush(self) -> str:
        """The answer has ended: its last word."""
        held, self._held = self._held, ""
        return held


class Joint:
    """Joins a continuation to what was said: repeats are dropped, and words stay apart.

    Models like to begin again in spite of what they are told, with the whole answer or with the broken sentence. While
    what comes could be such a repeat, it is held back.
    """

    def __init__(self, said: str) -> None:
        self._said = said
        starts = {0, *(match.end() for match in _SENTENCE_START.finditer(said))}
        self._repeats = [said[start:].strip() for start in sorted(starts) if said[start:].strip()]
        self._held = ""
        self._open = False

    def feed(self, text: str) -> str:
        """What of the continuation may be said now."""
        if self._open:
            return text
        self._held += text
        begun = self._held.lstrip()
        if any(len(begun) <= len(repeat) and _same(repeat[: len(begun)], begun) for repeat in self._repeats):
            return ""
        return self._release()

    def flush(self) -> str:
        """The continuation has ended: what was held back of it."""
        return "" if self._open else self._release(ended=True)

    def _release(self, *, ended: bool = False) -> str:
        self._open = True
        text, begun = self._held, self._held.lstrip()
        repeated = [repeat for repeat in self._repeats if _same(begun[: len(repeat)], repeat)]
        if repeated:
            text = begun[len(max(repeated, key=len)) :]
        elif ended and any(_same(repeat[: len(begun)], begun) for repeat in self._repeats):
            return ""  # it said again a part of what had been said, and no more
        return self._spaced(text)

    def _spaced(self, text: str) -> str:
        if self._said[-1:].isspace():
            return text.lstrip()
        apart = text[:1].isspace() or not (_LETTER.match(self._said[-1:]) and _LETTER.match(text[:1]))
        return text if apart else " " + text


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
