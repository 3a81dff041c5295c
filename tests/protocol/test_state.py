from __future__ import annotations

import pytest

from lumi.errors import LocalProtocolError
from lumi.protocol.state import TRANSITIONS, Event, State, advance, allows, diagram


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", list(Event))
def test_the_table_is_the_whole_truth(state, event):
    if allows(state, event):
        assert advance(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(
            LocalProtocolError, match=f"{event} is not possible while {state}; possible: .*close"
        ):
            advance(state, event)


def test_nothing_but_hello_or_an_error_comes_first():
    assert {event for event in Event if allows(State.OPENING, event)} == {
        Event.HELLO,
        Event.ERROR,
        Event.CLOSE,
    }


def test_every_state_can_be_reached_and_can_close():
    assert set(TRANSITIONS.values()) == set(State)
    assert all(advance(state, Event.CLOSE) is State.CLOSED for state in State)


def test_the_diagram_is_drawn_from_the_table():
    lines = diagram().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> opening"]
    assert "    greeted --> ready: server hello" in lines
    assert "    ready --> ending: goodbye" in lines
    assert lines[-1] == "    closed --> [*]"
    drawn = {tuple(line.split(":")[0].split(" --> ")) for line in (one.strip() for one in lines[2:-1])}
    assert drawn == {(a.value, b.value) for (a, _), b in TRANSITIONS.items() if a is not State.CLOSED}
