"""Which words a recogniser can hear: pronunciations from its dictionary, made-up ones for words built from known
words, and a report of those that must be left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumi.engines import automaton, jsgf
from lumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from lumi.engines.automaton import Automaton
    from lumi.engines.grammar import Grammar

Pronunciations = dict[str, tuple[str, ...]]

_VARIANT = re.compile(r"\(\d+\)$")
_VOICELESS = frozenset({"P", "T", "K", "F", "TH"})
_HISSING = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})
_SHORTEST_PART = 3


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What of a grammar can be heard, and how its words sound."""

    sentences: Automaton
    corpus: tuple[str, ...]
    pronunciations: Pronunciations
    generated: tuple[str, ...]
    """Words whose pronunciation was made from their parts."""
    left_out: tuple[str, ...]
    """Words nobody knows how to say; the alternatives that need them are gone."""


def entries(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(word, phones) of each line of a CMU dictionary; variants `word(2)` as the word itself."""
    for line in lines:
        written, _, phones = line.strip().partition(" ")
        if phones:
            yield _VARIANT.sub("", written), phones.strip()


def select(lines: Iterable[str], wanted: Container[str]) -> Pronunciations:
    """Those entries of a dictionary that are wanted."""
    found: Pronunciations = {}
    for word, phones in entries(lines):
        if word in wanted:
            found[word] = (*found.get(word, ()), phones)
    return found


def parts(word: str) -> Iterator[tuple[str, str]]:
    """The ways to cut a word in two that may each be words: head and tail. `''` stays with the tail."""
    for ending in ("'s", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            yield word.removesuffix(ending), ending
    if "-" in word:
        head, _, tail = word.partition("-")
        yield head, tail
    for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
        yield word[:cut], word[cut:]


def pronounce(word: str, known: Mapping[str, tuple[str, ...]]) -> str | None:
    """Phones of a word made of known ones: a plural or possessive, or two words written as one."""
    for head, tail in parts(word):
        if head not in known:
            continue
        if tail in {"'s", "s"}:
            return f"{known[head][0]} {_plural(known[head][0].split()[-1])}"
        if tail in known:
            return f"{known[head][0]} {known[tail][0]}"
    return None


def fit(grammar: Grammar, known: Mapping[str, tuple[str, ...]]) -> Vocabulary:
    """Leave out of a grammar what cannot be heard. `known` holds its words and their parts, as far as a dictionary has.

    Raises:
        ConfigError: the grammar is not JSGF, or nothing is left of it.
    """
    rules = jsgf.parse(grammar.jsgf)
    wanted = grammar.words | jsgf.words(rules)
    sounds: Pronunciations = {word: known[word] for word in wanted if word in known}
    made = {word: phones for word in wanted - sounds.keys() if (phones := pronounce(word, known))}
    unknown = wanted - sounds.keys() - made.keys()
    sounds |= {word: (phones,) for word, phones in made.items()}
    sentences = automaton.build(rules, unknown)
    if sentences.empty:
        missing = f" without the unknown words {', '.join(sorted(unknown))}" if unknown else ""
        raise ConfigError("grammar", f"nothing can be said by it{missing}")
    corpus = tuple(sentence for sentence in grammar.sentences if unknown.isdisjoint(sentence.split()))
    return Vocabulary(sentences, corpus, sounds, tuple(sorted(made)), tuple(sorted(unknown)))


def wanted_of(grammar: Grammar) -> frozenset[str]:
    """What to look up for `fit`: the grammar's words, and the pieces they may be made of."""
    whole = grammar.words | jsgf.words(jsgf.parse(grammar.jsgf))
    return whole | {part for word in whole for pair in parts(word) for part in pair}


def dictionary_text(pronunciations: Mapping[str, tuple[str, ...]]) -> str:
    """As a CMU dictionary file."""
    lines = [
        f"{word}{f'({number})' if number > 1 else ''} {phones}"
        for word in sorted(pronunciations)
        for number, phones in enumerate(dict.fromkeys(pronunciations[word]), start=1)
    ]
    return "\n".join([*lines, ""])


def _plural(last_phone: str) -> str:
    if last_phone in _HISSING:
        return "IH Z"
    return "S" if last_phone in _VOICELESS else "Z"
