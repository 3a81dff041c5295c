"""What an embedded recogniser is to understand, in the three forms recognisers ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from lumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUP = "lumi.grammars"
"""Entry points: the language's code, and a callable without arguments that makes its `Grammar`."""
_WORD = re.compile(r"[a-z0-9'.\-]+")


@dataclass(frozen=True, slots=True)
class Grammar:
    """The sentences an embedded recogniser listens for. Everything is lower case, words separated by one space.

    `jsgf` is a whole JSGF V1.0 grammar with at least one public rule; `sentences` is a corpus for an n-gram, drawn
    from the same rules (a sentence may stand in it more than once: that is its weight); `words` are all words that
    occur in either.
    """

    jsgf: str
    sentences: tuple[str, ...]
    words: frozenset[str]

    @classmethod
    def from_sentences(cls, sentences: Iterable[str], name: str = "sentences") -> Grammar:
        """A grammar that understands exactly these sentences."""
        spoken = tuple(dict.fromkeys(" ".join(words_of(sentence)) for sentence in sentences))
        spoken = tuple(sentence for sentence in spoken if sentence)
        if not spoken:
            raise ConfigError("grammar", "there is no sentence in it; give at least one with words")
        rule = "\n  | ".join(spoken)
        jsgf = f"#JSGF V1.0;\n\ngrammar {name};\n\npublic <{name}> =\n    {rule}\n  ;\n"
        return cls(jsgf, spoken, frozenset(word for sentence in spoken for word in sentence.split()))


def find_grammar(language: str, reference: str = "") -> Grammar:
    """The grammar that a package has for a language.

    Args:
        language: the name of an entry point of the group `lumi.grammars`.
        reference: `module:name` of a callable that makes a grammar, in place of the entry point.

    Raises:
        ConfigError: there is none, or it makes something else.
    """
    if reference:
        points = [metadata.EntryPoint(language, reference, GROUP)]
    else:
        points = list(metadata.entry_points(group=GROUP, name=language))
    if not points:
        raise ConfigError(
            "grammar", f"no installed package has one for '{language}' (entry point group {GROUP})"
        )
    try:
        made = points[0].load()()
    except (ImportError, AttributeError) as error:
        raise ConfigError("grammar", f"'{points[0].value}' cannot be loaded: {error}") from error
    if not isinstance(made, Grammar):
        raise ConfigError("grammar", f"'{points[0].value}' makes no Grammar, but a {type(made).__name__}")
    return made


def words_of(sentence: str) -> tuple[str, ...]:
    """The words of a written sentence as a recogniser spells them: lower case, no punctuation around them."""
    found = (word.strip("-.'") for word in _WORD.findall(sentence.lower().replace("’", "'")))
    return tuple(word for word in found if word)
