"""Speech during an answer: what pauses it, what ends it, what does neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.voice.interruption import WINDOW_MS, Interruption, InterruptionSettings, Suspicion

SPEECH, SILENCE = 0.9, 0.05


def windows(ms: float, probability: float = SPEECH) -> list[float]:
    return [probability] * round(ms / WINDOW_MS)


def test_sustained_speech_holds_the_answer_at_once_and_ends_it_soon():
    interruption = Interruption()
    seen = []
    for _ in range(12):
        interruption.feed([SPEECH])
        seen.append(interruption.suspicion)
    assert seen == [Suspicion.NONE] * 3 + [Suspicion.HOLD] * 6 + [Suspicion.CERTAIN] * 3


@pytest.mark.parametrize("ms", [32, 96, 160, 224, 288])
def test_a_cough_or_uh_huh_under_300_ms_never_ends_an_answer(ms):
    interruption = Interruption()
    assert not interruption.feed(windows(1000, SILENCE) + windows(ms))
    assert not interruption.feed(windows(1000, SILENCE))
    assert interruption.suspicion is Suspicion.NONE, "the answer goes on"


def test_coughs_with_pauses_between_do_not_add_up():
    interruption = Interruption()
    for _ in range(10):
        assert not interruption.feed(windows(256) + windows(224, SILENCE))


def test_a_short_break_within_speech_does_not_start_the_count_again():
    interruption = Interruption()
    assert not interruption.feed(windows(192) + windows(96, SILENCE))
    assert interruption.suspicion is Suspicion.HOLD
    assert interruption.feed(windows(128))


def test_the_echo_of_the_answer_stays_below_the_threshold():
    interruption = Interruption()
    assert not interruption.feed(windows(5000, 0.55))
    assert interruption.suspicion is Suspicion.NONE


def test_once_certain_it_stays_so():
    interruption = Interruption()
    assert interruption.feed(windows(320))
    assert interruption.feed(windows(5000, SILENCE))
    assert interruption.feed([])


def test_settings():
    eager = Interruption(InterruptionSettings(threshold=0.3, hold_after_ms=32, interrupt_after_ms=64))
    assert not eager.feed([0.4])
    assert eager.suspicion is Suspicion.HOLD
    assert eager.feed([0.4])


@given(st.lists(st.floats(0, 1), max_size=300), st.integers(1, 20))
def test_grouping_makes_no_difference(speech, size):
    one, other = Interruption(), Interruption()
    one.feed(speech)
    for start in range(0, len(speech), size):
        other.feed(speech[start : start + size])
    assert one.suspicion is other.suspicion
