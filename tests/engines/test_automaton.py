"""The smallest automaton of a grammar accepts the same sentences."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.engines.automaton import Automaton, build
from lumi.engines.jsgf import Choice, Node, Repeat, Rules, Series, Word, parse
from lumi.errors import ConfigError

trees = st.recursive(
    st.sampled_from("abc").map(Word),
    lambda nodes: st.one_of(
        st.lists(nodes, max_size=3).map(lambda parts: Series(tuple(parts))),
        st.lists(nodes, max_size=3).map(lambda options: Choice(tuple(options))),
        nodes.map(Repeat),
    ),
    max_leaves=8,
)


def automaton(expansion: str, unknown: frozenset[str] = frozenset()) -> Automaton:
    return build(parse(f"grammar g; <x> = a b | a c; public <main> = {expansion};"), unknown)


def as_pattern(node: Node) -> str:
    """The same as a regular expression."""
    match node:
        case Word(text):
            return text
        case Series(parts):
            return "".join(f"(?:{as_pattern(part)})" for part in parts)
        case Choice(options):
            return "|".join(f"(?:{as_pattern(option)})" for option in options) or "(?!)"
        case Repeat(part):
            return f"(?:{as_pattern(part)})+"
    raise AssertionError(node)


@given(trees)
def test_accepts_what_a_regular_expression_does(tree: Node) -> None:
    built = build(Rules({"<main>": tree}, ("<main>",)))
    pattern = re.compile(as_pattern(tree))
    for length in range(5):
        for sentence in itertools.product("abc", repeat=length):
            assert built.accepts(sentence) == bool(pattern.fullmatch("".join(sentence))), sentence


def test_is_small_and_has_no_dead_ends() -> None:
    built = automaton("<x> <x> | a b <x>")
    assert len(built.arcs) == 5
    assert built.words == {"a", "b", "c"}
    assert len(automaton("a b c | b b c | c b c").arcs) == 4
    assert len(automaton("(a | b)+").arcs) == 2


def test_unknown_words_take_their_alternatives_along() -> None:
    built = automaton("a (b | c) | c [b] a", frozenset({"b"}))
    assert built.accepts("ac")
    assert built.accepts("ca")
    assert not built.accepts("ab")
    assert built.words == {"a", "c"}
    assert automaton("a b", frozenset({"b"})).empty
    assert automaton("<VOID>").empty


def test_a_rule_may_not_use_itself() -> None:
    with pytest.raises(ConfigError, match=r"rule <b> uses itself|rule <a> uses itself"):
        build(parse("public <a> = x <b>; <b> = y [<a>];"))


def test_all_public_rules_count() -> None:
    built = build(parse("public <a> = x; public <b> = y; <c> = z;"))
    assert [built.accepts(word) for word in "xyz"] == [True, True, False]


def test_weights_follow_the_corpus_and_leave_a_bit_for_the_rest() -> None:
    built = automaton("a [b | c]")
    after_a = built.arcs[0]["a"]
    weights = built.weights(["a b", "a b", "a", "not in it", "b"])
    assert weights[0] == {"a": 1.0}
    assert weights[after_a] == {"b": 2.5 / 4.5, "c": 0.5 / 4.5, None: 1.5 / 4.5}


def test_a_path_is_the_states_of_an_accepted_sentence() -> None:
    built = automaton("a b")
    assert built.path(["a"]) is None
    path = built.path(["a", "b"])
    assert path is not None
    assert path[0] == 0
    assert path[-1] in built.final
