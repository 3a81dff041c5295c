"""Where a client stands: eight states, and the table of ways between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from lumi.client.broadcast import Broadcast, Subscription
from lumi.errors import LocalProtocolError


class Phase(StrEnum):
    """The name of a state, without what it carries."""

    INITIAL = "initial"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    HANDSHAKING = "handshaking"
    READY = "ready"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Initial:
    """Nothing was tried yet."""

    phase: ClassVar[Phase] = Phase.INITIAL


@dataclass(frozen=True, slots=True)
class Connecting:
    """The line is being opened."""

    phase: ClassVar[Phase] = Phase.CONNECTING


@dataclass(frozen=True, slots=True)
class Connected:
    """The line is open; nobody has said hello."""

    phase: ClassVar[Phase] = Phase.CONNECTED


@dataclass(frozen=True, slots=True)
class Handshaking:
    """Our hello is out; the server's is awaited."""

    phase: ClassVar[Phase] = Phase.HANDSHAKING


@dataclass(frozen=True, slots=True)
class Ready:
    """The conversation is open."""

    session_id: str
    server_version: str
    phase: ClassVar[Phase] = Phase.READY


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The line was closed in an orderly way, by either side."""

    phase: ClassVar[Phase] = Phase.DISCONNECTED


@dataclass(frozen=True, slots=True)
class Failed:
    """No conversation came about: connecting or the handshake failed."""

    error: str
    phase: ClassVar[Phase] = Phase.FAILED


@dataclass(frozen=True, slots=True)
class Errored:
    """An open line broke."""

    message: str
    phase: ClassVar[Phase] = Phase.ERROR


ConnectionState = Initial | Connecting | Connected | Handshaking | Ready | Disconnected | Failed | Errored

TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    Phase.INITIAL: frozenset({Phase.CONNECTING}),
    Phase.CONNECTING: frozenset({Phase.CONNECTED, Phase.FAILED, Phase.DISCONNECTED}),
    Phase.CONNECTED: frozenset({Phase.HANDSHAKING, Phase.FAILED, Phase.DISCONNECTED, Phase.ERROR}),
    Phase.HANDSHAKING: frozenset({Phase.READY, Phase.FAILED, Phase.DISCONNECTED, Phase.ERROR}),
    # ready → handshaking: a later hello renegotiates audio or features on the open line
    Phase.READY: frozenset({Phase.HANDSHAKING, Phase.DISCONNECTED, Phase.ERROR}),
    Phase.DISCONNECTED: frozenset({Phase.CONNECTING}),
    Phase.FAILED: frozenset({Phase.CONNECTING, Phase.DISCONNECTED}),
    Phase.ERROR: frozenset({Phase.CONNECTING, Phase.DISCONNECTED}),
}

ONLINE = frozenset({Phase.CONNECTED, Phase.HANDSHAKING, Phase.READY})
"""Phases in which there is a line to send on."""

STATES_LIMIT = 64
"""States a listener may lag behind; then it is cut off (none may be dropped: the last one counts)."""


class StateMachine:
    """The only home of the client's state. A way the table does not have raises and changes nothing."""

    def __init__(self) -> None:
        self._state: ConnectionState = Initial()
        self._changes: Broadcast[ConnectionState] = Broadcast(STATES_LIMIT)

    @property
    def state(self) -> ConnectionState:
        return self._state

    @property
    def phase(self) -> Phase:
        return self._state.phase

    def may(self, phase: Phase) -> bool:
        """Whether the table has a way from here to `phase`."""
        return phase in TRANSITIONS[self._state.phase]

    def advance(self, state: ConnectionState) -> None:
        """Go to `state` and tell all listeners.

        Raises:
            LocalProtocolError: the table has no such way.
        """
        if not self.may(state.phase):
            raise LocalProtocolError(f"the connection cannot go from {self.phase} to {state.phase}")
        self._state = state
        self._changes.publish(state)

    def listen(self) -> Subscription[ConnectionState]:
        """All changes from now on (not the present state: read `state` for that)."""
        return self._changes.subscribe()

    def close(self) -> None:
        """End all listeners' streams."""
        self._changes.close()


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.INITIAL}"]
    lines += [
        f"    {source} --> {target}" for source, targets in TRANSITIONS.items() for target in sorted(targets)
    ]
    return "\n".join(lines)
