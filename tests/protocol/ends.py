"""Both ends of a connection, brought together with no network between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings

from lumi.protocol.connection import Connection, Role
from lumi.protocol.handshake import answer, negotiate
from lumi.protocol.messages import AudioParams, ClientHello, Features, Message

SESSION_ID = "3f0c2a52-9f7e-4a53-8f5c-0b8a6f4f2d11"
EVERYTHING = Features(**dict.fromkeys(Features.__struct_fields__, True))
NOW_S = 1_772_438_400.0
FUZZ = settings(max_examples=200, derandomize=True, database=None, deadline=None)
"""The same examples in every run, however busy the machine is."""


@dataclass
class Ends:
    """A client and a server; what one sends the other receives."""

    client: Connection
    server: Connection
    device_id: str = "kitchen"
    hellos: list[ClientHello] = field(default_factory=list)

    def greet(self, hello: ClientHello, offered: Features = EVERYTHING) -> Any:
        """Say hello and have it answered; the client's received answer."""
        text = self.client.send(hello)
        assert isinstance(text, str)
        (received,) = self.server.receive(text)
        assert isinstance(received, ClientHello)
        agreement = negotiate(
            received,
            headers=self.server.headers,
            query=self.server.query,
            offered=offered,
            previous=self.server.agreement,
        )
        reply = answer(
            received, agreement, session_id=SESSION_ID, device_id=self.device_id, server_version="0.1.0"
        )
        (answered,) = self.client.receive(self.server.accept(received, reply, agreement))
        return answered

    def up(self, message: Any) -> list[Any]:
        """Client to server."""
        frame = self.client.send(message)
        return [] if frame is None else list(self.server.receive(frame))

    def down(self, message: Any) -> list[Any]:
        """Server to client."""
        frame = self.server.send(message)
        return [] if frame is None else list(self.client.receive(frame))


def strangers(
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    extra: frozenset[type[Message]] = frozenset(),
) -> Ends:
    """Two ends before hello."""
    return Ends(
        Connection(Role.CLIENT, headers=headers, query=query),
        Connection(Role.SERVER, headers=headers, query=query, extra=extra, wall_clock=lambda: NOW_S),
    )


def lumi_hello(**fields: Any) -> ClientHello:
    return ClientHello(**{"id": "h-1", "device_id": "kitchen", "audio_params": AudioParams(), **fields})


def acquainted(hello: ClientHello | None = None, **how: Any) -> Ends:
    """Two ends after hello."""
    ends = strangers(**how)
    ends.greet(hello or lumi_hello())
    return ends
