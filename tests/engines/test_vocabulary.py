"""Words that can be heard, words made from others, words left out."""

from __future__ import annotations

import pytest

from lumi.engines.grammar import Grammar
from lumi.engines.vocabulary import dictionary_text, entries, fit, pronounce, select, wanted_of
from lumi.errors import ConfigError

DICTIONARY = """\
cat K AE T
cat(2) K AH T
dog D AO G
light L AY T
lights L AY T S
bulb B AH L B
bus B AH S
play P L EY
broken
""".splitlines()
KNOWN = select(DICTIONARY, {"cat", "dog", "light", "bulb", "bus", "play"})


def test_reads_a_dictionary_with_its_variants() -> None:
    assert list(entries(DICTIONARY))[:3] == [("cat", "K AE T"), ("cat", "K AH T"), ("dog", "D AO G")]
    assert select(DICTIONARY, {"cat"}) == {"cat": ("K AE T", "K AH T")}


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("dogs", "D AO G Z"),
        ("cats", "K AE T S"),
        ("buss", "B AH S IH Z"),
        ("dog's", "D AO G Z"),
        ("lightbulb", "L AY T B AH L B"),
        ("play-light", "P L EY L AY T"),
        ("xyzzy", None),
        ("catx", None),
    ],
)
def test_makes_pronunciations_of_known_parts(word: str, phones: str | None) -> None:
    assert pronounce(word, KNOWN) == phones


def test_fits_a_grammar_to_what_is_known() -> None:
    grammar = Grammar.from_sentences(["play dog", "play lightbulb", "play xyzzy", "xyzzy"])
    assert {"play", "light", "bulb", "lightbulb"} <= wanted_of(grammar)
    fitted = fit(grammar, KNOWN)
    assert fitted.left_out == ("xyzzy",)
    assert fitted.generated == ("lightbulb",)
    assert fitted.corpus == ("play dog", "play lightbulb")
    assert fitted.pronunciations == {
        "play": ("P L EY",),
        "dog": ("D AO G",),
        "lightbulb": ("L AY T B AH L B",),
    }
    assert fitted.sentences.accepts(["play", "dog"])
    assert not fitted.sentences.accepts(["xyzzy"])


def test_words_that_only_the_rules_name_count_too() -> None:
    fitted = fit(Grammar("public <a> = dog | plugh;", (), frozenset()), KNOWN)
    assert fitted.left_out == ("plugh",)
    assert set(fitted.pronunciations) == {"dog"}


def test_nothing_left_is_an_error_that_names_the_words() -> None:
    with pytest.raises(ConfigError, match="nothing can be said by it without the unknown words plugh, xyzzy"):
        fit(Grammar.from_sentences(["xyzzy plugh"]), KNOWN)
    with pytest.raises(ConfigError, match=r"nothing can be said by it$"):
        fit(Grammar("public <a> = <VOID>;", (), frozenset()), KNOWN)


def test_writes_a_dictionary() -> None:
    assert dictionary_text({"b": ("X", "Y", "X"), "a": ("Z",)}) == "a Z\nb X\nb(2) Y\n"
