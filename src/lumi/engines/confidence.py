"""How far a recognised sentence can be trusted: pure arithmetic on what two recognisers made of the same sound.

A grammar forces anything into one of its sentences, so its word for it is worth nothing. Two things tell: how well the
sound fits the sentence it was forced into (the mean log acoustic score per frame), and whether a second recogniser,
free to hear some thousands of everyday words, heard about the same. The weights were fitted to synthetic speech in
several voices; `docs/recognition.md` has the table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

FRAMES_BESIDE = 120
"""Silence counted with every sentence: short ones have scores that scatter more."""
_WORST_FIT = -4.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A word (or `<sil>`, `++NOISE++`) between two frames of 10 ms, both inclusive."""

    word: str
    first: int
    last: int
    log_score: float
    """Natural logarithm of the acoustic score, summed over its frames."""

    @property
    def is_word(self) -> bool:
        return self.word[:1] not in {"<", "(", "[", "+"}


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What one recogniser made of an utterance."""

    text: str = ""
    probability: float = 0.0
    """Posterior of the whole sentence; only n-gram recognisers have one."""
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Weights:
    """Of a logistic function; fit in hundredths per frame, agreement 0 … 1."""

    fit: float
    agreement: float
    bias: float


class Source(StrEnum):
    """Which recogniser of the cascade an utterance's words are from."""

    NOBODY = ""
    GRAMMAR = "grammar"
    NGRAM = "ngram"
    DICTATION = "dictation"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an utterance is taken for. Without a text: how far the grammar's sentence was from being accepted."""

    text: str = ""
    confidence: float = 0.0
    source: Source = Source.NOBODY

    @property
    def trusted(self) -> bool:
        """It is what the grammar knows, and no guess."""
        return self.source in {Source.GRAMMAR, Source.NGRAM}


GRAMMAR_WEIGHTS = Weights(fit=13.5, agreement=9.1, bias=-0.3)
GRAMMAR_ACCEPTED = 0.5
NGRAM_ACCEPTED = 0.7
DICTATION_TRUST = 0.4
"""A guess of the general model is never more certain than this."""
DICTATION_ACCEPTED = 0.02


def judge(
    grammar: Hypothesis, free: Hypothesis, words: Container[str], accepts: Callable[[Sequence[str]], bool]
) -> Verdict:
    """The grammar's sentence if it can be trusted, else the n-gram's if it has none but known words, else nothing.

    Where the n-gram came upon a sentence of the grammar by itself, its sentence is taken: it knows which are likely.

    Args:
        grammar: what the grammar's recogniser made of the utterance.
        free: what the n-gram's recogniser made of it.
        words: the grammar's words.
        accepts: whether the grammar knows a sentence.
    """
    sure = of_grammar(grammar, free)
    heard = free.text.split()
    if sure >= GRAMMAR_ACCEPTED:
        return Verdict(free.text if heard and accepts(heard) else grammar.text, sure, Source.GRAMMAR)
    likely = per_word(free)
    if likely >= NGRAM_ACCEPTED and all(word in words for word in heard):
        return Verdict(free.text, likely, Source.NGRAM)
    return Verdict(confidence=sure)


def of_dictation(guess: Hypothesis) -> Verdict:
    """What a model without a grammar made of it: words to show, of low confidence, or nothing."""
    sure = DICTATION_TRUST * per_word(guess)
    return Verdict(guess.text, sure, Source.DICTATION) if sure >= DICTATION_ACCEPTED else Verdict()


def fit(segments: Sequence[Segment], witness: Sequence[Segment] = ()) -> float:
    """Mean log acoustic score per frame while words were said, in hundredths; 0 is perfect.

    Words are where the segments have them, or where the witness's have: a grammar likes to take for silence what it
    cannot use.
    """
    if not any(segment.is_word for segment in segments):
        return _WORST_FIT
    spoken = [segment for segment in (*segments, *witness) if segment.is_word]
    first, last = min(segment.first for segment in spoken), max(segment.last for segment in spoken)
    total = sum(segment.log_score * _share(segment, first, last) for segment in segments)
    return max(100 * total / (last - first + 1 + FRAMES_BESIDE), _WORST_FIT)


def _share(segment: Segment, first: int, last: int) -> float:
    """How much of a segment lies between two frames."""
    within = min(segment.last, last) - max(segment.first, first) + 1
    return max(within, 0) / max(segment.last - segment.first + 1, 1)


def agreement(one: str, other: str) -> float:
    """How alike two sentences are, by their letters: 'today' and 'to day' are nearly the same. 0 … 1."""
    a, b = one.replace(" ", ""), other.replace(" ", "")
    return SequenceMatcher(None, a, b, autojunk=False).ratio() if a or b else 0.0


def of_grammar(grammar: Hypothesis, free: Hypothesis, weights: Weights = GRAMMAR_WEIGHTS) -> float:
    """Confidence (0 … 1) in the grammar's sentence, given what the free recogniser heard."""
    if not grammar.text:
        return 0.0
    likeness = agreement(grammar.text, free.text)
    return _logistic(
        weights.fit * fit(grammar.segments, free.segments) + weights.agreement * likeness + weights.bias
    )


def per_word(hypothesis: Hypothesis) -> float:
    """The n-gram's posterior as a mean per word, so that long sentences are not worse than short ones. 0 … 1."""
    words = len(hypothesis.text.split())
    return min(hypothesis.probability ** (1 / words), 1.0) if words and hypothesis.probability > 0 else 0.0


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
