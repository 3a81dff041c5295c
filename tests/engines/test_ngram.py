"""Witten-Bell n-grams: proper probabilities, and the same again from the ARPA text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.engines.ngram import END, START, WittenBell, arpa

CORPUS = ("set a timer", "set a timer", "stop the timer", "what time is it")
words = st.lists(st.sampled_from("abcd"), min_size=1, max_size=5).map(" ".join)


@given(
    st.lists(words, min_size=1, max_size=6),
    st.lists(st.sampled_from(["a", "b", "q", START]), max_size=2),
    st.sampled_from([{}, {"x": 2.0, "a": 1.0}]),
)
def test_what_may_follow_adds_up_to_one(
    corpus: list[str], history: list[str], background: dict[str, float]
) -> None:
    model = WittenBell(corpus, background=background, share=0.1)
    assert sum(model.probability(word, tuple(history)) for word in model.words) == pytest.approx(1)


def test_frequent_orders_are_likelier_and_new_ones_possible() -> None:
    model = WittenBell(CORPUS)
    assert model.probability("a", (START, "set")) > model.probability("the", (START, "set")) > 0
    assert model.probability("set", (START,)) > model.probability("stop", (START,))


def read_arpa(text: str) -> dict[tuple[str, ...], tuple[float, float]]:
    table = {}
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) > 1:
            table[tuple(fields[1].split())] = (
                10 ** float(fields[0]),
                10 ** float(fields[2]) if len(fields) > 2 else 1.0,
            )
    return table


def from_arpa(
    table: dict[tuple[str, ...], tuple[float, float]], word: str, history: tuple[str, ...]
) -> float:
    """As ARPA is defined: the n-gram, or the history's back-off weight times the shorter one."""
    if (*history, word) in table:
        return table[*history, word][0]
    return table.get(history, (0.0, 1.0))[1] * from_arpa(table, word, history[1:])


def test_arpa_says_the_same() -> None:
    model = WittenBell(CORPUS, background={"weather": 3.0, "time": 1.0}, share=0.05)
    text = arpa(model)
    table = read_arpa(text)
    counts = [int(line.partition("=")[2]) for line in text.splitlines() if line.startswith("ngram ")]
    assert counts == [sum(len(gram) == length for gram in table) for length in (1, 2, 3)]
    for history in ((), (START,), (START, "set"), ("a", "timer"), ("is", "the"), ("weather",)):
        for word in model.words:
            expected = model.probability(word, history)
            assert from_arpa(table, word, history) == pytest.approx(expected, rel=2e-3), (history, word)
    assert text.startswith("\\data\\\n")
    assert text.endswith("\\end\\\n")
    assert (START,) in table
    assert (END,) in table
