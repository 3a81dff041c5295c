from __future__ import annotations

from lumi.tui.turn_clock import TurnClock


def test_the_first_piece_of_an_answer_counts():
    clock = TurnClock()
    assert clock.latency_s is None
    clock.asked(1.0)
    clock.answered(1.25)
    clock.answered(9.0)
    assert clock.latency_s == 0.25


def test_what_was_not_asked_for_does_not_count():
    clock = TurnClock()
    clock.answered(3.0)
    assert clock.latency_s is None


def test_a_later_end_of_the_question_counts_instead():
    clock = TurnClock()
    clock.asked(1.0)
    clock.asked(2.0)
    clock.answered(2.5)
    assert clock.latency_s == 0.5


def test_a_question_without_an_answer_is_forgotten():
    clock = TurnClock()
    clock.asked(1.0)
    clock.forget()
    clock.answered(2.0)
    assert clock.latency_s is None
