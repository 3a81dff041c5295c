"""The grammar's type, and how a package's grammar is found."""

from __future__ import annotations

import pytest

from lumi.engines import automaton, jsgf
from lumi.engines.grammar import Grammar, find_grammar, words_of
from lumi.errors import ConfigError


def test_words_as_a_recogniser_spells_them() -> None:
    assert words_of("What’s 'the' TIME, please? It's 5 o'clock - now.") == (
        "what's", "the", "time", "please", "it's", "5", "o'clock", "now",
    )  # fmt: skip
    assert words_of("?!… 你好") == ()


def test_a_grammar_of_sentences_understands_them_and_nothing_else() -> None:
    grammar = Grammar.from_sentences(["What time is it?", "Stop!", "what time is it", "…"])
    assert grammar.sentences == ("what time is it", "stop")
    assert grammar.words == {"what", "time", "is", "it", "stop"}
    built = automaton.build(jsgf.parse(grammar.jsgf))
    assert built.accepts(["what", "time", "is", "it"])
    assert not built.accepts(["what", "time"])


def test_no_sentence_is_no_grammar() -> None:
    with pytest.raises(ConfigError, match="there is no sentence in it"):
        Grammar.from_sentences(["", "?"])


def test_the_installed_grammar_for_english() -> None:
    grammar = find_grammar("en")
    assert {"time", "timer"} <= grammar.words


@pytest.mark.parametrize(
    ("language", "reference", "problem"),
    [
        ("tlh", "", "no installed package has one for 'tlh'"),
        ("en", "lumi.nowhere:build", "cannot be loaded: No module named 'lumi.nowhere'"),
        ("en", "lumi.errors:nothing", "cannot be loaded"),
        ("en", "builtins:dict", "makes no Grammar, but a dict"),
    ],
)
def test_a_grammar_that_cannot_be_had(language: str, reference: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        find_grammar(language, reference)
