"""Takes each message to its handler."""

from __future__ import annotations

from collections.abc import Mapping

from lumi.errors import LocalProtocolError
from lumi.protocol.messages import AudioFrame, Message
from lumi.server.handlers import HANDLERS, Handler, Peer
from lumi.server.session_manager import SessionLike


class MessageRouter:
    """A table from message type to handler.

    Args:
        table: another table than the server's own.
    """

    def __init__(self, table: Mapping[type, Handler] = HANDLERS) -> None:
        self._table = table

    async def route(self, session: SessionLike, peer: Peer, message: Message | AudioFrame) -> None:
        """Let the message take effect. What it sets going goes on by itself: this returns at once.

        Raises:
            LocalProtocolError: no handler: a type was added to the protocol and not here.
        """
        handler = self._table.get(type(message))
        if handler is None:
            raise LocalProtocolError(f"no handler for {type(message).__name__}")
        pending = handler(session, peer, message)
        if pending is not None:
            await pending
