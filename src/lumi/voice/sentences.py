"""Cuts a growing text into sentences that can be spoken one by one."""

from __future__ import annotations

import re

_CLOSERS = "\"'”’」』）)】]》"
_END = re.compile(
    rf"""
    (?: [。！？…]+[{re.escape(_CLOSERS)}]*            # Chinese marks end a sentence wherever they stand
      | [.!?]+[{re.escape(_CLOSERS)}]*(?=\s)          # Latin ones only before white space: 3.14, example.com
      | \n+
    )\s*
    """,
    re.VERBOSE,
)
_PAUSE = re.compile(r"[，；、：]\s*|[,;:]\s+")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|a\.m|p\.m|approx)\.$", re.IGNORECASE
)
_LIST_NUMBER = re.compile(r"(?:^|\n)\s*\d+\.$")

LONGEST_CHARS = 160
"""A sentence longer than this is cut at its next pause, so that speech never waits for an endless one."""


class SentenceCutter:
    """Takes pieces of text as they come; gives whole sentences as soon as they are certain.

    What is given, joined, is the text without the white space between sentences.
    """

    def __init__(self, longest_chars: int = LONGEST_CHARS) -> None:
        self._rest = ""
        self._longest_chars = longest_chars

    def feed(self, piece: str) -> list[str]:
        """Add a piece; return the sentences that it completed."""
        self._rest += piece
        sentences = []
        while (cut := self._next_cut()) is not None:
            head, self._rest = self._rest[:cut].strip(), self._rest[cut:]
            if head:
                sentences.append(head)
        return sentences

    def flush(self) -> list[str]:
        """The text has ended: return what is left, if anything."""
        sentences = self.feed("\n")
        rest, self._rest = self._rest.strip(), ""
        return [*sentences, rest] if rest else sentences

    def _next_cut(self) -> int | None:
        for match in _END.finditer(self._rest):
            head = self._rest[: match.start()] + match.group().rstrip()
            if not (_ABBREVIATION.search(head) or _LIST_NUMBER.search(head)):
                return match.end()
        if len(self._rest) <= self._longest_chars:
            return None
        pauses = [match.end() for match in _PAUSE.finditer(self._rest, 0, self._longest_chars)]
        if pauses:
            return pauses[-1]
        space = self._rest.rfind(" ", 0, self._longest_chars)
        return space + 1 if space > 0 else self._longest_chars


def played_part(text: str, played_ms: float, total_ms: float) -> str:
    """The words of a sentence that were heard when `played_ms` of its `total_ms` had been played.

    Speech is taken to run evenly over the text. A word counts when its middle was reached; Chinese counts by
    character.
    """
    if total_ms <= 0 or played_ms <= 0:
        return ""
    if played_ms >= total_ms:
        return text
    reached = len(text) * played_ms / total_ms
    end = 0
    for word in re.finditer(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+", text):
        if (word.start() + word.end()) / 2 > reached:
            break
        end = word.end()
    return text[:end]
