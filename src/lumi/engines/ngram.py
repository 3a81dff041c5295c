"""A small n-gram language model from a corpus of sentences, as ARPA text.

Smoothing is Witten and Bell's (Chen and Goodman 1999, §2.6): a history gives away as much as it has kinds of
followers, so a small corpus leaves room for orders of its words that it does not contain; everyday words that it does not contain at all may be let
in beside it, so that a recogniser can hear that something else was said.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

START, END = "<s>", "</s>"
_NEVER = -99.0

History = tuple[str, ...]


class WittenBell:
    """Counts of a corpus and the probabilities that follow from them.

    `background` gives other words that may turn up, with their relative weights: together they get `share` of the
    single words' probability.
    """

    def __init__(
        self,
        sentences: Iterable[str],
        order: int = 3,
        background: Mapping[str, float] | None = None,
        share: float = 0.0,
    ) -> None:
        self.order = order
        self._background = background or {}
        self._background_total = sum(self._background.values())
        self._share = share if self._background else 0.0
        self._followers: dict[History, Counter[str]] = defaultdict(Counter)
        for sentence in sentences:
            self._count([START, *sentence.split(), END])
        self._own = frozenset(self._followers[()])
        self.words = sorted(self._own | self._background.keys())

    def _count(self, words: list[str]) -> None:
        for position in range(1, len(words)):
            for length in range(min(self.order, position + 1)):
                self._followers[tuple(words[position - length : position])][words[position]] += 1

    def probability(self, word: str, history: History) -> float:
        """P(word | history), by linear interpolation with the shorter history; uniform where nothing is known."""
        followers = self._followers.get(history)
        if not history:
            return self._single(word)
        shorter = self.probability(word, history[1:])
        if followers is None:
            return shorter
        kinds = len(followers)
        return (followers[word] + kinds * shorter) / (followers.total() + kinds)

    def _single(self, word: str) -> float:
        own = self._followers[()]
        within = (own[word] + 1) / (own.total() + len(self._own)) if word in self._own else 0.0
        beside = self._background[word] / self._background_total if word in self._background else 0.0
        return (1 - self._share) * within + self._share * beside

    def remainder(self, history: History) -> float:
        """The weight of the shorter history: ARPA's back-off weight."""
        followers = self._followers.get(history)
        return 1.0 if followers is None else len(followers) / (followers.total() + len(followers))

    def grams(self, length: int) -> Iterator[tuple[History, str]]:
        """All n-grams of a length, as history and word; all words where the length is one."""
        if length == 1:
            yield from (((), word) for word in self.words)
            return
        for history in sorted(history for history in self._followers if len(history) == length - 1):
            for word in sorted(self._followers[history]):
                yield history, word


def arpa(model: WittenBell) -> str:
    """The model as ARPA text; base-10 logarithms."""
    order = model.order
    sections = {length: list(_section(model, length)) for length in range(1, order + 1)}
    lines = ["\\data\\", *(f"ngram {length}={len(grams)}" for length, grams in sections.items())]
    for length, grams in sections.items():
        lines += ["", f"\\{length}-grams:", *grams]
    return "\n".join([*lines, "", "\\end\\", ""])


def _section(model: WittenBell, length: int) -> Iterator[str]:
    if length == 1:
        yield f"{_NEVER}\t{START}\t{math.log10(model.remainder((START,))):.4f}"
    for history, word in model.grams(length):
        line = f"{math.log10(model.probability(word, history)):.4f}\t{' '.join((*history, word))}"
        if length < model.order and word != END:
            line += f"\t{math.log10(model.remainder((*history, word))):.4f}"
        yield line
