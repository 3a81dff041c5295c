from __future__ import annotations

import itertools

import pytest

from lumi.client.state_machine import (
    TRANSITIONS,
    Connected,
    Connecting,
    ConnectionState,
    Disconnected,
    Errored,
    Failed,
    Handshaking,
    Initial,
    Phase,
    Ready,
    StateMachine,
    diagram,
)
from lumi.errors import LocalProtocolError

EXAMPLES: dict[Phase, ConnectionState] = {
    state.phase: state
    for state in (
        Initial(),
        Connecting(),
        Connected(),
        Handshaking(),
        Ready("s", "1.0"),
        Disconnected(),
        Failed("no"),
        Errored("broke"),
    )
}
PATHS: dict[Phase, list[Phase]] = {
    Phase.INITIAL: [],
    Phase.CONNECTING: [Phase.CONNECTING],
    Phase.CONNECTED: [Phase.CONNECTING, Phase.CONNECTED],
    Phase.HANDSHAKING: [Phase.CONNECTING, Phase.CONNECTED, Phase.HANDSHAKING],
    Phase.READY: [Phase.CONNECTING, Phase.CONNECTED, Phase.HANDSHAKING, Phase.READY],
    Phase.DISCONNECTED: [Phase.CONNECTING, Phase.DISCONNECTED],
    Phase.FAILED: [Phase.CONNECTING, Phase.FAILED],
    Phase.ERROR: [Phase.CONNECTING, Phase.CONNECTED, Phase.ERROR],
}


def at(phase: Phase) -> StateMachine:
    machine = StateMachine()
    for step in PATHS[phase]:
        machine.advance(EXAMPLES[step])
    assert machine.phase is phase
    return machine


@pytest.mark.parametrize(("source", "target"), list(itertools.product(Phase, Phase)))
def test_the_table_is_what_happens(source: Phase, target: Phase):
    machine = at(source)
    before = machine.state
    if target in TRANSITIONS[source]:
        machine.advance(EXAMPLES[target])
        assert machine.state == EXAMPLES[target]
    else:
        with pytest.raises(LocalProtocolError, match=f"from {source} to {target}"):
            machine.advance(EXAMPLES[target])
        assert machine.state is before


def test_there_are_the_eight_states_of_the_founding_document():
    assert [phase.value for phase in Phase] == [
        "initial",
        "connecting",
        "connected",
        "handshaking",
        "ready",
        "disconnected",
        "failed",
        "error",
    ]
    assert set(TRANSITIONS) == set(Phase)


async def test_listeners_hear_of_every_change():
    machine = StateMachine()
    first, second = machine.listen(), machine.listen()
    machine.advance(Connecting())
    machine.advance(Failed("no"))
    machine.close()
    for listener in (first, second):
        assert [state async for state in listener] == [Connecting(), Failed("no")]


def test_the_diagram_shows_every_way():
    drawn = diagram()
    assert drawn.startswith("stateDiagram-v2\n    [*] --> initial")
    assert drawn.count("-->") == 1 + sum(map(len, TRANSITIONS.values()))
    assert "    handshaking --> ready" in drawn
