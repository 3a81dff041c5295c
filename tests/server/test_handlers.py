import inspect

import pytest
from tests.server.doubles import NotedSession

from lumi.protocol.handshake import negotiate
from lumi.protocol.messages import (
    CLIENT_TYPES,
    Abort,
    Ack,
    AudioFrame,
    Chat,
    ClientHello,
    ClientIot,
    Features,
    Goodbye,
    Listen,
    Mcp,
    Ping,
    Played,
    Pong,
)
from lumi.server.handlers import HANDLERS

HELLO = ClientHello(id="h")
AGREEMENT = negotiate(HELLO, headers={}, query={}, offered=Features())


class NotedPeer:
    said_goodbye = False

    def __init__(self) -> None:
        self.sent: list[object] = []

    def send(self, message: object) -> None:
        self.sent.append(message)

    def hang_up(self, code: int, reason: str) -> None:
        self.sent.append((code, reason))


async def handled(message) -> tuple[NotedSession, NotedPeer]:
    session, peer = NotedSession("s", "d", AGREEMENT, HELLO), NotedPeer()
    session.attach(peer.send)
    pending = HANDLERS[type(message)](session, peer, message)
    if inspect.isawaitable(pending):
        await pending
    return session, peer


def test_every_message_of_a_client_has_a_handler():
    assert set(HANDLERS) == {*CLIENT_TYPES, AudioFrame} - {ClientHello}


@pytest.mark.parametrize(
    "message",
    [
        Chat(id="1", content="hi"),
        Listen(state="start"),
        Abort(),
        Played(turn_id="t", ms=1.0),
        AudioFrame(b"sound"),
        Mcp(payload={}),
        ClientIot(),
    ],
)
async def test_a_message_is_one_call_on_the_session(message):
    session, _ = await handled(message)
    assert session.noted == [message]


async def test_what_an_empty_packet_sets_going_is_waited_for():
    session, _ = await handled(AudioFrame(b""))
    assert session.noted == [AudioFrame(b""), "end of audio"]


@pytest.mark.parametrize("message_id", [None, "p"])
async def test_ping_is_answered(message_id):
    session, peer = await handled(Ping(id=message_id, timestamp=7))
    (pong,) = peer.sent
    assert isinstance(pong, Pong)
    assert (pong.timestamp, pong.session_id, pong.id or None) == (7, "s", message_id)
    assert session.noted == []


@pytest.mark.parametrize(("reason", "told"), [(None, "goodbye"), ("asleep", "asleep")])
async def test_goodbye_ends_the_connection(reason, told):
    _, peer = await handled(Goodbye(reason=reason))
    assert peer.sent == [(1000, told)]


async def test_an_acknowledgement_goes_to_the_session():
    session, _ = await handled(Ack(seq=1))
    assert session.noted == [Ack(seq=1)]
