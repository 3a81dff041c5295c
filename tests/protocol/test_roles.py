from __future__ import annotations

from lumi.protocol.messages import CLIENT_TYPES, SERVER_TYPES, Chat, ClientHello, Error, Goodbye, ServerHello
from lumi.protocol.roles import OWN_TYPES, Role, event_of
from lumi.protocol.state import Event


def test_each_role_has_its_own_types():
    assert OWN_TYPES[Role.CLIENT] == set(CLIENT_TYPES)
    assert OWN_TYPES[Role.SERVER] == set(SERVER_TYPES)


def test_what_a_message_does_to_the_state():
    moved = [event_of(kind) for kind in (ClientHello, ServerHello, Error, Goodbye, Chat)]
    assert moved == [Event.HELLO, Event.ANSWER, Event.ERROR, Event.GOODBYE, Event.MESSAGE]
