"""The states of a connection, as a table; the diagram in the docs is drawn from it."""

from __future__ import annotations

from enum import StrEnum

from lumi.errors import LocalProtocolError


class State(StrEnum):
    """Where a connection stands, seen alike from both ends."""

    OPENING = "opening"
    """No hello yet."""
    GREETED = "greeted"
    """The client's hello is out, the server's answer is not."""
    READY = "ready"
    """Messages and audio, both ways."""
    ENDING = "ending"
    """One side said goodbye: what is under way goes on, nothing new begins."""
    CLOSED = "closed"


class Event(StrEnum):
    """What moves a connection on, whichever side does it."""

    HELLO = "client hello"
    ANSWER = "server hello"
    MESSAGE = "message or audio"
    ERROR = "error"
    GOODBYE = "goodbye"
    CLOSE = "close"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.OPENING, Event.HELLO): State.GREETED,
    (State.OPENING, Event.ERROR): State.OPENING,
    (State.OPENING, Event.CLOSE): State.CLOSED,
    # Said again before it was answered, or after a refusal.
    (State.GREETED, Event.HELLO): State.GREETED,
    (State.GREETED, Event.ANSWER): State.READY,
    (State.GREETED, Event.ERROR): State.GREETED,
    (State.GREETED, Event.CLOSE): State.CLOSED,
    # One phone app says hello twice; later hellos are answered too.
    (State.READY, Event.HELLO): State.READY,
    (State.READY, Event.ANSWER): State.READY,
    (State.READY, Event.MESSAGE): State.READY,
    (State.READY, Event.ERROR): State.READY,
    (State.READY, Event.GOODBYE): State.ENDING,
    (State.READY, Event.CLOSE): State.CLOSED,
    (State.ENDING, Event.MESSAGE): State.ENDING,
    (State.ENDING, Event.ERROR): State.ENDING,
    (State.ENDING, Event.GOODBYE): State.ENDING,
    (State.ENDING, Event.CLOSE): State.CLOSED,
    (State.CLOSED, Event.CLOSE): State.CLOSED,  # closing twice is no mistake
}


def allows(state: State, event: Event) -> bool:
    return (state, event) in TRANSITIONS


def advance(state: State, event: Event) -> State:
    """The state after `event`.

    Raises:
        LocalProtocolError: there is no such step; the state stays.
    """
    after = TRANSITIONS.get((state, event))
    if after is None:
        possible = ", ".join(one for at, one in TRANSITIONS if at is state)
        raise LocalProtocolError(f"{event} is not possible while {state}; possible: {possible}")
    return after


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    edges: dict[tuple[State, State], list[str]] = {}
    for (before, event), after in TRANSITIONS.items():
        if before is not State.CLOSED:
            edges.setdefault((before, after), []).append(event)
    lines = [f"    {before} --> {after}: {', '.join(events)}" for (before, after), events in edges.items()]
    return "\n".join(
        ["stateDiagram-v2", f"    [*] --> {State.OPENING}", *lines, f"    {State.CLOSED} --> [*]"]
    )
