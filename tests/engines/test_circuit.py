import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.engines.circuit import (
    BEYOND_DOUBT,
    TRANSITIONS,
    Circuit,
    CircuitSettings,
    Event,
    State,
    diagram,
)
from lumi.errors import EngineError, Trouble


def failure(trouble: Trouble = Trouble.FAILED, retry_after_s: float | None = None) -> EngineError:
    return EngineError("e", "it broke", trouble=trouble, retry_after_s=retry_after_s)


def test_every_state_knows_every_event_and_the_diagram_shows_them():
    assert set(TRANSITIONS) == {(state, event) for state in State for event in Event}
    assert "open --> half_open: waited" in diagram()


@pytest.mark.parametrize("trouble", [Trouble.FAILED, Trouble.SLOW, Trouble.GARBLED, Trouble.BUSY])
def test_what_may_be_chance_opens_it_the_third_time(trouble):
    circuit = Circuit()
    assert [circuit.failed(failure(trouble), 0.0) for _ in range(3)] == [False, False, True]
    assert circuit.state(0.0) is State.OPEN
    assert not circuit.allows(4.9)


def test_an_answer_between_makes_it_count_anew():
    circuit = Circuit()
    circuit.failed(failure(), 0)
    circuit.failed(failure(), 0)
    assert not circuit.worked()
    assert not circuit.failed(failure(), 0)
    assert circuit.state(0) is State.CLOSED


@pytest.mark.parametrize("trouble", sorted(BEYOND_DOUBT))
def test_what_is_beyond_doubt_opens_it_at_once(trouble):
    circuit = Circuit()
    assert circuit.failed(failure(trouble), 0.0)
    assert not circuit.allows(0.0)


def test_what_was_asked_being_too_much_is_no_fault_of_the_engine():
    circuit = Circuit()
    for _ in range(10):
        assert not circuit.failed(failure(Trouble.REFUSED), 0.0)
    assert circuit.allows(0.0)


def test_retry_after_is_respected_where_it_is_longer():
    circuit = Circuit()
    assert circuit.failed(failure(Trouble.BUSY, 60.0), 100.0)
    assert circuit.due_in_s(100.0) == 60.0
    assert not circuit.allows(159.0)
    assert circuit.allows(160.0)
    short = Circuit()
    short.failed(failure(Trouble.BUSY, 0.1), 0.0)
    assert short.due_in_s(0.0) == CircuitSettings().first_wait_s


def test_who_has_no_credit_is_left_out_for_the_longest_time_since_no_probe_shows_it():
    circuit = Circuit()
    assert circuit.failed(failure(Trouble.NO_CREDIT), 0.0)
    assert circuit.due_in_s(0.0) == CircuitSettings().longest_wait_s
    assert not circuit.allows(299.0)
    assert circuit.allows(300.0)


def test_after_its_wait_one_request_may_try_and_the_others_may_not():
    circuit = Circuit()
    circuit.failed(failure(Trouble.UNREACHABLE), 0.0)
    assert circuit.state(5.0) is State.HALF_OPEN
    assert circuit.allows(5.0)
    circuit.asked(5.0)
    assert not circuit.allows(5.0)
    assert circuit.worked()
    assert circuit.state(5.0) is State.CLOSED


def test_a_try_that_is_given_up_leaves_room_for_the_next():
    circuit = Circuit()
    circuit.failed(failure(Trouble.UNREACHABLE), 0.0)
    circuit.asked(5.0)
    circuit.left()
    assert circuit.allows(5.0)


def test_waits_grow_up_to_a_bound_and_are_short_again_after_an_answer():
    circuit, now, waits = Circuit(), 0.0, []
    for _ in range(9):
        assert circuit.failed(failure(Trouble.UNREACHABLE), now)
        waits.append(circuit.due_in_s(now))
        now += waits[-1]
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    circuit.worked()
    circuit.failed(failure(Trouble.UNREACHABLE), now)
    assert circuit.due_in_s(now) == 5


def test_where_somebody_probes_only_a_probe_brings_it_back():
    circuit = Circuit()
    circuit.by_probe = True
    circuit.failed(failure(Trouble.UNREACHABLE), 0.0)
    assert circuit.state(1_000.0) is State.OPEN
    circuit.probe_failed(failure(Trouble.UNREACHABLE), 1_000.0)
    assert circuit.due_in_s(1_000.0) == 10
    circuit.probed()
    assert circuit.state(1_000.0) is State.HALF_OPEN
    circuit.failed(failure(), 1_001.0)
    assert circuit.due_in_s(1_001.0) == 20  # a probe is no answer: waits go on growing
    circuit.worked()  # asked although open, because nobody else was left
    assert circuit.state(1_001.0) is State.CLOSED


@given(st.lists(st.sampled_from(["work", "fail", "probe", "probe fails", "ask", "leave", "wait"])))
def test_whatever_happens_it_can_come_back(acts):
    circuit, now = Circuit(), 0.0
    for act in acts:
        match act:
            case "work":
                circuit.worked()
            case "fail":
                circuit.failed(failure(), now)
            case "probe":
                circuit.probed()
            case "probe fails":
                circuit.probe_failed(failure(), now)
            case "ask":
                circuit.asked(now)
            case "leave":
                circuit.left()
            case _:
                now += 7.0
        assert 0 <= circuit.due_in_s(now) <= 300
    circuit.left()
    assert circuit.allows(now + 300)
