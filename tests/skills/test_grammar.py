from __future__ import annotations

import re
from importlib import resources

import pytest

from lumi.engines.grammar import Grammar
from lumi.errors import ConfigError
from lumi.skills.catalogue import load
from lumi.skills.grammar import MAX_SENTENCES, build
from lumi.skills.recognizer import candidates


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return build()


def test_is_the_same_each_time(grammar: Grammar) -> None:
    assert build() == grammar


def test_every_sentence_it_can_hear_is_understood(grammar: Grammar) -> None:
    catalogue = load("en")
    deaf = [sentence for sentence in grammar.sentences if next(candidates(sentence, catalogue), None) is None]
    assert not deaf


def test_the_corpus_is_bounded_and_has_every_word(grammar: Grammar) -> None:
    assert 1000 < len(grammar.sentences) <= MAX_SENTENCES
    assert {word for sentence in grammar.sentences for word in sentence.split()} == grammar.words


def test_everybody_s_words_are_in_the_dictionary(grammar: Grammar) -> None:
    dictionary = (
        resources.files("pocketsphinx").joinpath("model", "en-us", "cmudict-en-us.dict").read_text("utf-8")
    )
    known = {line.split()[0] for line in dictionary.splitlines()}
    assert not grammar.words - known


def test_the_jsgf_has_every_rule_it_uses_and_one_public_one(grammar: Grammar) -> None:
    defined = re.findall(r"^(?:public )?<([^>]+)> =", grammar.jsgf, re.MULTILINE)
    assert set(re.findall(r"<([^>]+)>", grammar.jsgf)) == set(defined)
    assert len(defined) == len(set(defined))
    assert grammar.jsgf.startswith("#JSGF V1.0;")
    assert len(re.findall(r"^public ", grammar.jsgf, re.MULTILINE)) == 1
    assert "()" not in grammar.jsgf
    assert "[]" not in grammar.jsgf


@pytest.mark.parametrize(
    "words",
    [
        "what time is it",
        "what's the time",
        "what is seventeen times twenty three",
        "set a timer for five minutes",
        "remind me to call mom tomorrow at eight",
        "add milk and eggs to my shopping list",
        "how many kilometers are in ten miles",
        "go forward ten meters",
        "turn on the lights",
        "tell me a joke",
    ],
)
def test_hears_the_usual_sentences(words: str, grammar: Grammar) -> None:
    assert set(words.split()) <= grammar.words


def test_there_is_none_for_chinese() -> None:
    with pytest.raises(ConfigError, match="only 'en' has an embedded recogniser"):
        build("zh")
