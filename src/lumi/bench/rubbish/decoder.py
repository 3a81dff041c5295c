"""Rubbish through the protocol alone: whatever comes, `receive` names what is wrong and raises nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import cycle

import msgspec

from lumi.bench.rubbish.frames import Rubbish
from lumi.protocol.connection import Connection, Role
from lumi.protocol.handshake import answer, negotiate
from lumi.protocol.messages import ClientHello, Fault, Features

FRAMINGS: tuple[Mapping[str, str], ...] = (
    {},
    {"protocol-version": "2"},
    {"protocol-version": "3"},
    {"from": "mqtt"},
)
TELL_EVERY = 10_000


class Decoded(msgspec.Struct, frozen=True):
    """What came of it. `errors`: how often each `error_code` was named."""

    frames: int
    understood: int
    connections: int
    errors: dict[str, int]


def opened(headers: Mapping[str, str]) -> Connection:
    """A server's end after the hello."""
    query = {"from": "mqtt_gateway"} if "from" in headers else {}
    connection = Connection(Role.SERVER, headers=headers, query=query, wall_clock=lambda: 0.0)
    hello = ClientHello(id="h")
    connection.receive('{"type":"hello","id":"h"}')
    agreement = negotiate(
        hello, headers=headers, query=query, offered=Features(), previous=None, audio_busy=False
    )
    reply = answer(
        hello, agreement, session_id="rubbish-session", device_id="rubbish", server_version="1", resumed=False
    )
    connection.accept(hello, reply, agreement)
    return connection


def decode(frames: int, seed: int, tell: Callable[[int], None] = lambda _: None) -> Decoded:
    """Feed `frames` of them; a connection that has to end is followed by one with the next framing.

    Whatever is raised is a bug, and goes on up. `tell` hears how many are done, now and then.
    """
    rubbish = Rubbish(seed)
    errors: Counter[str] = Counter()
    understood, connections = 0, 1
    framings = cycle(FRAMINGS)
    connection = opened(next(framings))
    for number in range(frames):
        for event in connection.receive(rubbish.frame()):
            if not isinstance(event, Fault):
                understood += 1
                continue
            errors[event.code] += 1
            if event.fatal_close is not None:
                connection = opened(next(framings))
                connections += 1
        if number % TELL_EVERY == 0:
            tell(number)
    return Decoded(frames, understood, connections, dict(errors.most_common()))
