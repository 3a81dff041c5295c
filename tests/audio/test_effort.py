"""The encoders' effort falls with load, and comes back more slowly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lumi.audio.effort import EncoderEffort


def after(effort: EncoderEffort, wait_s: float, seconds: float, start_s: float) -> int:
    for step in range(round(seconds * 20)):
        effort.note(wait_s, start_s + step / 20)
    return effort.complexity


def test_as_hard_as_set_while_nothing_waits():
    assert after(EncoderEffort(5), 0.001, 60, 100) == 5


def test_falls_step_by_step_down_to_the_floor_while_work_queues_up():
    effort = EncoderEffort(5, floor=1)
    assert after(effort, 0.1, 1.2, 100) in (2, 3, 4)
    assert after(effort, 0.1, 10, 102) == 1


def test_comes_back_slowly():
    effort = EncoderEffort(5, floor=0)
    assert after(effort, 0.1, 10, 100) == 0
    assert after(effort, 0.0, 1, 110) == 0
    assert after(effort, 0.0, 6, 111) in (1, 2)
    assert after(effort, 0.0, 60, 117) == 5


def test_between_the_two_bounds_it_stays():
    effort = EncoderEffort(5)
    low = after(effort, 0.1, 1, 100)
    effort.note(0.01, 101)
    assert after(effort, 0.012, 60, 102) <= low
    level = effort.complexity
    assert after(effort, 0.012, 60, 170) == level


def test_one_slow_piece_changes_nothing():
    effort = EncoderEffort(5)
    effort.note(0.15, 100)
    assert effort.complexity == 5


def test_the_setting_may_change():
    effort = EncoderEffort(5, floor=3)
    effort.limit(2)
    assert effort.complexity == 2
    assert after(effort, 0.1, 10, 100) == 2
    effort.limit(8)
    assert effort.complexity == 8


@given(st.integers(0, 10), st.integers(0, 10), st.lists(st.floats(0, 1), max_size=100))
def test_never_leaves_its_bounds(complexity, floor, waits):
    effort = EncoderEffort(complexity, floor=floor)
    for second, wait_s in enumerate(waits):
        effort.note(wait_s, second)
        assert min(floor, complexity) <= effort.complexity <= complexity
