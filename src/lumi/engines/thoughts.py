"""Keeps what a reasoning model thinks out of what it says: `<think>…</think>` in the text is never shown nor spoken."""

from __future__ import annotations

import re

_TAGS = ("think", "thinking", "thought", "reasoning")
_OPEN = re.compile(rf"<(?:{'|'.join(_TAGS)})>")
_CLOSE = re.compile(rf"</(?:{'|'.join(_TAGS)})>")
_MARKS = tuple(f"<{slash}{tag}>" for slash in ("", "/") for tag in _TAGS)


class Spoken:
    """Takes the pieces of an answer, cut anywhere; gives what is meant for the listener.

    Args:
        thinking: the model begins in the middle of its thoughts, without an opening mark (some chat templates open
            them in the prompt).
    """

    def __init__(self, *, thinking: bool = False) -> None:
        self._thinking = thinking
        self._rest = ""
        self._begun = False

    def feed(self, piece: str) -> str:
        """Add a piece; what is certain to be meant for the listener. Holds back what may become a mark."""
        self._rest += piece
        out = ""
        while match := (_CLOSE if self._thinking else _OPEN).search(self._rest):
            out += "" if self._thinking else self._rest[: match.start()]
            self._rest = self._rest[match.end() :]
            self._thinking = not self._thinking
        keep = _torn_mark(self._rest)
        out += "" if self._thinking else self._rest[: len(self._rest) - keep]
        self._rest = self._rest[len(self._rest) - keep :]
        return self._trimmed(out)

    def finish(self) -> str:
        """The answer has ended: what was held back."""
        rest, self._rest = self._rest, ""
        return "" if self._thinking else self._trimmed(rest)

    def _trimmed(self, text: str) -> str:
        """The blank lines between thoughts and answer are neither."""
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        return text


def _torn_mark(text: str) -> int:
    """Length of the mark that `text` may be ending in the middle of."""
    at = text.rfind("<")
    tail = text[at:] if at >= 0 else ""
    return len(tail) if tail and any(mark.startswith(tail) for mark in _MARKS) else 0
