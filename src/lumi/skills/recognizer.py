"""Text → the intents it may be, best first: hassil's templates, then a reader for each slot's words.

A wildcard takes any words; the reader of its slot turns them into a value, and a candidate with words that no reader
accepts is dropped. So `what is {sum}` understands sums and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hassil import recognize_all

from lumi.engines.base import Language
from lumi.skills.catalogue import Catalogue
from lumi.skills.language import SIMPLIFY, tidy, without_courtesies
from lumi.skills.readers import KEPT_AS_WRITTEN, READERS

MAX_CHARACTERS: Mapping[Language, int] = MappingProxyType({"en": 300, "zh": 120})
"""Longer texts are no commands; and what wildcards may cost grows faster than their length."""


@dataclass(frozen=True, slots=True)
class Candidate:
    intent: str
    slots: Mapping[str, object]


def candidates(text: str, catalogue: Catalogue) -> Iterator[Candidate]:
    """The intents that `text` may be; those of which most was said literally come first."""
    language = catalogue.language
    even = tidy(text, language)
    if not even or len(even) > MAX_CHARACTERS[language]:
        return
    seen: set[str] = set()
    # As it was said first: `could you repeat that` and `thank you` are requests in themselves
    for variant in (even, without_courtesies(even, language)):
        if variant not in seen:
            seen.add(variant)
            yield from _matches(variant, catalogue)


def _matches(text: str, catalogue: Catalogue) -> Iterator[Candidate]:
    folded = text.translate(SIMPLIFY) if catalogue.language == "zh" else text
    found = sorted(recognize_all(folded, catalogue.intents), key=lambda result: -result.text_chunks_matched)
    for result in found:
        words = {
            name: _said(name, text, folded, entity.text_span) if entity.is_wildcard else entity.value
            for name, entity in result.entities.items()
        }
        slots = read_slots(words, catalogue.language)
        if slots is not None:
            yield Candidate(result.intent.name, MappingProxyType(slots))


def _said(name: str, text: str, folded: str, span: tuple[int, int] | None) -> str:
    """A wildcard's words: as they were written where they are kept, in simplified characters where they are read."""
    return (text if name in KEPT_AS_WRITTEN else folded)[slice(*(span or (0, 0)))]


def read_slots(words: Mapping[str, object], language: Language) -> dict[str, object] | None:
    """Each slot's value by its reader; None if one accepts its words not."""
    values: dict[str, object] = {}
    for name, said in words.items():
        reader = READERS.get(name)
        value = reader(said, language) if reader and isinstance(said, str) else said
        if value is None:
            return None
        values[name] = value
    return values
