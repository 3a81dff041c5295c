"""How far a sentence can be trusted."""

from __future__ import annotations

import pytest

from lumi.engines.confidence import (
    DICTATION_TRUST,
    FRAMES_BESIDE,
    Hypothesis,
    Segment,
    Source,
    Verdict,
    agreement,
    fit,
    judge,
    of_dictation,
    of_grammar,
    per_word,
)

WORDS = frozenset(["set", "a", "timer", "stop", "the"])


def heard(text: str, score: float, probability: float = 0.0) -> Hypothesis:
    """Words of 20 frames each, between two silences."""
    words = text.split()
    spoken = [Segment(word, 10 + 20 * n, 29 + 20 * n, score) for n, word in enumerate(words)]
    return Hypothesis(
        text, probability, (Segment("<sil>", 0, 9, -50.0), *spoken, Segment("</s>", 999, 999, -50.0))
    )


def test_fit_counts_from_the_first_word_to_the_last() -> None:
    hypothesis = heard("set a timer", -0.1)
    assert fit(hypothesis.segments) == pytest.approx(100 * -0.3 / (60 + FRAMES_BESIDE))
    gap = Segment("++NOISE++", 30, 49, -1.0)
    around = (Segment("set", 10, 29, -0.1), gap, Segment("a", 50, 69, -0.1))
    assert fit(around) == pytest.approx(100 * -1.2 / (60 + FRAMES_BESIDE))
    assert (
        fit(())
        == fit((Segment("<sil>", 0, 9, -1.0), Segment("[NOISE]", 0, 9, 0), Segment("(NULL)", 0, 0, 0)))
        < -3
    )
    assert fit(heard("stop", -1e9).segments) == fit((), heard("stop", 0.0).segments) == fit(())


def test_agreement_is_by_letters() -> None:
    assert agreement("today", "to day") == 1.0
    assert agreement("set a timer", "set a time or") > 0.8 > agreement("set a timer", "stop") > 0
    assert agreement("", "") == 0.0


def test_a_sentence_is_trusted_for_its_fit_and_for_a_witness() -> None:
    good, bad = heard("set a timer", -0.05), heard("set a timer", -0.5)
    witness, other = Hypothesis("set a timer"), Hypothesis("my old friend")
    assert of_grammar(good, witness) > 0.95
    assert of_grammar(good, witness) > of_grammar(good, other) > of_grammar(bad, other)
    assert of_grammar(good, witness) > of_grammar(bad, witness)
    assert of_grammar(Hypothesis(), witness) == 0.0


def test_a_long_sentence_is_no_worse_than_a_short_one() -> None:
    assert per_word(Hypothesis("a b c d", 0.0016)) == pytest.approx(0.2)
    assert per_word(Hypothesis("a", 0.2)) == pytest.approx(0.2)
    assert per_word(Hypothesis("a", 1.5)) == 1.0
    assert per_word(Hypothesis("", 1.0)) == per_word(Hypothesis("a", 0.0)) == 0.0


def accepts(sentence: object) -> bool:
    return sentence in (["set", "a", "timer"], ["stop", "timer"])


def test_the_grammar_s_sentence_comes_first() -> None:
    verdict = judge(heard("set a timer", -0.05), Hypothesis("set the time"), WORDS, accepts)
    assert (verdict.text, verdict.source, verdict.trusted) == ("set a timer", Source.GRAMMAR, True)


def test_a_sentence_both_know_is_taken_as_the_ngram_heard_it() -> None:
    assert (
        judge(heard("stop the timer", -0.05), Hypothesis("stop timer"), WORDS, accepts).text == "stop timer"
    )


def test_then_the_ngram_s_if_it_has_known_words_only() -> None:
    nothing = Hypothesis()
    verdict = judge(nothing, Hypothesis("stop a timer", 0.5), WORDS, accepts)
    assert (verdict.text, verdict.source, verdict.trusted) == ("stop a timer", Source.NGRAM, True)
    assert verdict.confidence == pytest.approx(0.5 ** (1 / 3))
    assert judge(nothing, Hypothesis("stop a horse", 0.5), WORDS, accepts).text == ""
    assert judge(nothing, Hypothesis("stop a timer", 0.05), WORDS, accepts).text == ""


def test_what_is_refused_still_says_how_near_it_came() -> None:
    verdict = judge(heard("set a timer", -0.5), Hypothesis("sent her home"), WORDS, accepts)
    assert (verdict.text, verdict.trusted) == ("", False)
    assert 0 < verdict.confidence < 0.5


def test_a_guess_is_never_certain() -> None:
    assert of_dictation(Hypothesis("ten of clubs", 1.0)) == Verdict(
        "ten of clubs", DICTATION_TRUST, Source.DICTATION
    )
    assert of_dictation(Hypothesis("ten of clubs", 1e-9)) == Verdict()
    assert not of_dictation(Hypothesis("ten of clubs", 1.0)).trusted
