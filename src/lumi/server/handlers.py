"""What each kind of message does: a table of one function per type, each with one call on the session or its peer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from msgspec import UNSET

from lumi.protocol.messages import (
    Abort,
    Ack,
    AudioFrame,
    Chat,
    ClientIot,
    CloseCode,
    Goodbye,
    Listen,
    Mcp,
    Message,
    Ping,
    Played,
    Pong,
)
from lumi.server.session_manager import SessionLike


class Peer(Protocol):
    """The one who sent the message."""

    said_goodbye: bool

    def send(self, message: Message | AudioFrame) -> None: ...

    def hang_up(self, code: int, reason: str) -> None: ...


Handler = Callable[[SessionLike, Peer, Any], Awaitable[None] | None]


def chat(session: SessionLike, _: Peer, message: Chat) -> None:
    session.chat(message)


def listen(session: SessionLike, _: Peer, message: Listen) -> Awaitable[None]:
    return session.listen(message)


def abort(session: SessionLike, _: Peer, message: Abort) -> None:
    session.abort(message)


def played(session: SessionLike, _: Peer, message: Played) -> None:
    session.played(message)


def audio(session: SessionLike, _: Peer, frame: AudioFrame) -> Awaitable[None] | None:
    return session.audio(frame)


def ping(session: SessionLike, peer: Peer, message: Ping) -> None:
    answered = UNSET if message.id is None else message.id
    peer.send(Pong(timestamp=message.timestamp, session_id=session.id, id=answered))


def ack(session: SessionLike, _: Peer, message: Ack) -> Awaitable[None]:
    return session.acknowledge(message)


def goodbye(_: SessionLike, peer: Peer, message: Goodbye) -> None:
    peer.said_goodbye = True
    peer.hang_up(CloseCode.DONE, message.reason or "goodbye")


def mcp(session: SessionLike, _: Peer, message: Mcp) -> None:
    session.mcp(message)


def iot(session: SessionLike, _: Peer, message: ClientIot) -> None:
    session.iot(message)


HANDLERS: Mapping[type, Handler] = {
    AudioFrame: audio,
    Chat: chat,
    Listen: listen,
    Abort: abort,
    Played: played,
    Ping: ping,
    Goodbye: goodbye,
    Ack: ack,
    Mcp: mcp,
    ClientIot: iot,
}
