import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.server.engine_time import HOUR_S, MOST_DEVICES, SAID_AGAIN_S, SLOT_S, EngineTime


def test_what_was_used_counts_for_an_hour():
    time = EngineTime(minutes=2.0)
    assert time.wait_s("a", 0.0) == 0.0
    time.spend("a", 90.0, 1000.0)
    assert (time.used_s("a", 1000.0), time.wait_s("a", 1000.0)) == (90.0, 0.0)
    time.spend("a", 30.0, 2000.0)
    assert time.wait_s("a", 2000.0) == pytest.approx(HOUR_S - 1000.0)
    assert time.wait_s("a", 1000.0 + HOUR_S - 1.0) == pytest.approx(1.0)
    assert time.wait_s("a", 1000.0 + HOUR_S) == 0.0
    assert time.used_s("a", 1000.0 + HOUR_S) == 30.0
    assert time.used_s("a", 2000.0 + HOUR_S) == 0.0


def test_one_device_does_not_use_anothers():
    time = EngineTime(minutes=1.0)
    time.spend("a", 61.0, 0.0)
    assert time.wait_s("a", 0.0) == HOUR_S
    assert time.wait_s("b", 0.0) == 0.0


def test_a_single_turn_may_go_beyond_and_waits_for_all_of_it():
    time = EngineTime(minutes=1.0)
    time.spend("a", 10.0, 0.0)
    time.spend("a", 500.0, SLOT_S)
    assert time.wait_s("a", SLOT_S) == HOUR_S, "the small one going does not help"


def test_without_a_limit_all_is_counted_and_nobody_waits():
    time = EngineTime()
    time.spend("a", 1e6, 0.0)
    time.spend("b", 0.0, 0.0)
    assert (time.used_s("a", 0.0), time.wait_s("a", 0.0), len(time)) == (1e6, 0.0, 1)


def test_who_goes_on_asking_is_told_once_a_minute():
    time = EngineTime(minutes=1.0)
    assert not time.tell("nobody", 0.0)
    time.spend("a", 61.0, 0.0)
    told = [now for now in range(0, 181, 10) if time.tell("a", float(now))]
    assert told == [0, SAID_AGAIN_S, 2 * SAID_AGAIN_S, 3 * SAID_AGAIN_S]


def test_it_does_not_grow_for_ever():
    time = EngineTime(minutes=1.0)
    for number in range(MOST_DEVICES + 1):
        time.spend(str(number), 1.0, 0.0)
    assert len(time) == MOST_DEVICES
    assert time.used_s("0", 0.0) == 0.0
    for now in range(0, 10 * int(HOUR_S), 7):
        time.spend("a", 0.1, float(now))
    assert len(time._uses["a"].slots) <= HOUR_S / SLOT_S + 1


@given(st.lists(st.tuples(st.floats(0.0, 4000.0), st.floats(0.0, 200.0)), max_size=30), st.floats(0.1, 60.0))
def test_who_waits_as_long_as_it_is_told_to_may_go_on(uses, minutes):
    time, now = EngineTime(minutes), 0.0
    for later_s, used_s in uses:
        now += later_s
        time.spend("a", used_s, now)
        wait_s = time.wait_s("a", now)
        assert 0.0 <= wait_s <= HOUR_S
        assert (wait_s > 0.0) == (time.used_s("a", now) >= minutes * 60.0)
    assert time.wait_s("a", now + time.wait_s("a", now) + 1e-6) == 0.0
