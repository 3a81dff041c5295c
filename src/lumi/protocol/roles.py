"""The two ends of a connection, and what each of them says."""

from __future__ import annotations

from enum import StrEnum

from lumi.protocol.messages import (
    CLIENT_TYPES,
    SERVER_TYPES,
    ClientHello,
    Error,
    Goodbye,
    Message,
    ServerHello,
)
from lumi.protocol.state import Event


class Role(StrEnum):
    CLIENT = "client"
    SERVER = "server"


OWN_TYPES: dict[Role, frozenset[type[Message]]] = {
    Role.CLIENT: frozenset(CLIENT_TYPES),
    Role.SERVER: frozenset(SERVER_TYPES),
}

_EVENTS: dict[type[Message], Event] = {
    ClientHello: Event.HELLO,
    ServerHello: Event.ANSWER,
    Error: Event.ERROR,
    Goodbye: Event.GOODBYE,
}


def event_of(kind: type[Message]) -> Event:
    """What a message of this type does to the state, whoever sends it."""
    return _EVENTS.get(kind, Event.MESSAGE)
