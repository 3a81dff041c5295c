"""The line to the server: opens it, sends on it, and hands what comes to any number of listeners."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, cast

from lumi.client.broadcast import Broadcast, Subscription
from lumi.client.events import Incoming, LinkClosed
from lumi.client.network import NetworkChecker
from lumi.client.state_machine import (
    ONLINE,
    Connected,
    Connecting,
    ConnectionState,
    Disconnected,
    Errored,
    Failed,
    Phase,
    StateMachine,
)
from lumi.client.task_scope import TaskScope
from lumi.errors import ConnectionLost, NetworkError, NotConnected
from lumi.protocol.connection import Connection, Role
from lumi.protocol.messages import AudioFrame, ClientMessage, CloseCode, Fault
from lumi.transport import websocket
from lumi.transport.base import Link
from lumi.transport.trust import trusting

CLOSE_WAIT_S = 1.0
"""How long the reader may go on after the line was closed, to hand over what came before."""


class Connector(Protocol):
    """Opens a link: `lumi.transport.websocket.connect`, or a test's."""

    async def __call__(self, url: str, *, headers: Mapping[str, str]) -> Link: ...


async def connect_websocket(url: str, *, headers: Mapping[str, str]) -> Link:
    """The usual connector."""
    return await websocket.connect(url, headers=headers)


def websocket_connector(ca: Path | str) -> Connector:
    """The usual connector, which trusts the certificate authority in the file `ca` as well.

    Raises:
        ConfigError: the file will not do.
    """
    context = trusting(ca)

    async def open_link(url: str, *, headers: Mapping[str, str]) -> Link:
        return await websocket.connect(url, headers=headers, ssl_context=context)

    return open_link


def is_audio(item: Incoming) -> bool:
    """What a listener that lags may lose: old sound, never a message."""
    return isinstance(item, AudioFrame)


class ConnectionService:
    """One line at a time, reopened as often as asked. Use it in `async with`; leaving disposes of it.

    Listeners of `messages()` get every message, sound (`AudioFrame`), `Fault` and, last of each link, `LinkClosed`,
    in order; each has a bounded queue whose oldest sound is dropped first (`Subscription`). Listeners of `states()`
    get every change of state.

    Args:
        connector: opens the link.
        machine: the state, made by whoever wants to watch it from the first step.
        network: asked before each connection whether there is a network at all; None: nobody is asked.
    """

    def __init__(
        self,
        connector: Connector = connect_websocket,
        *,
        machine: StateMachine | None = None,
        network: NetworkChecker | None = None,
    ) -> None:
        self.machine = machine or StateMachine()
        self.link_number = 0
        """The present or latest link, counted from 1."""
        self.frames_heard = 0
        """Frames of any kind that came on all links."""
        self._connector = connector
        self._network = network
        self.scope = TaskScope()
        self._messages: Broadcast[Incoming] = Broadcast(may_drop=is_audio)
        self._link: Link | None = None
        self._protocol: Connection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._closing = False
        self._dropped: str | None = None
        self._sent_frames = 0
        self._heard = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.scope.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.dispose()
        finally:
            await self.scope.__aexit__(exc_type, exc, traceback)

    @property
    def is_connected(self) -> bool:
        return self.machine.phase in ONLINE

    @property
    def protocol(self) -> Connection:
        """The protocol's state on the present line.

        Raises:
            NotConnected: there is no line.
        """
        if self._protocol is None:
            raise NotConnected("not connected: call connect() first")
        return self._protocol

    def messages(self, *, paced: bool = False) -> Subscription[Incoming]:
        """What comes from now on. A `paced` listener that lags slows the server down instead of being cut off."""
        return self._messages.subscribe(paced=paced)

    def states(self) -> Subscription[ConnectionState]:
        return self.machine.listen()

    async def connect(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        """Open the line. The state goes to connecting, then connected or failed.

        Raises:
            LocalProtocolError: there is a line already, or one is being opened.
            NetworkUnavailable: there is no network; connecting was not tried.
            NetworkError: no line came about.
        """
        headers = dict(headers or {})
        self.machine.advance(Connecting())
        try:
            if self._network is not None:
                await self._network.check(url)
            link = await self._connector(url, headers=headers)
        except NetworkError as error:
            self.machine.advance(Failed(str(error)))
            raise
        except asyncio.CancelledError:
            if self.machine.may(Phase.DISCONNECTED):  # whoever cancelled may have disconnected already
                self.machine.advance(Disconnected())
            raise
        self._link, self._closing, self._dropped, self._sent_frames = link, False, None, 0
        self.link_number += 1
        self._protocol = Connection(Role.CLIENT, headers=headers, query=link.info.query)
        self.machine.advance(Connected())
        self._reader = self.scope.start(self._read(link, self._protocol), name="client-read")

    async def hear(self) -> None:
        """Wait for the next sign of life from the server, whatever it is."""
        self._heard.clear()
        await self._heard.wait()

    async def send_message(self, message: ClientMessage | AudioFrame) -> bool:
        """Send; waits while the server reads too slowly. False: the server did not agree to such a message.

        Raises:
            NotConnected: there is no line.
            ConnectionLost: the line broke.
            LocalProtocolError: this message may not be sent now, e.g. a chat before the hello.
        """
        if self._link is None or self._protocol is None:
            raise NotConnected("not connected: nothing was sent")
        frame = self._protocol.send(message)
        if frame is None:
            return False
        await self._link.send(frame)
        return True

    async def send_binary(self, payload: bytes, *, timestamp_ms: int = 0) -> bool:
        """Send one packet of sound, framed as agreed. Raises as `send_message` does."""
        sequence = self._sent_frames
        self._sent_frames += 1
        return await self.send_message(AudioFrame(payload, timestamp_ms=timestamp_ms, sequence=sequence))

    async def disconnect(self, code: int = CloseCode.DONE, reason: str = "") -> None:
        """Close the line, if there is one; returns when it is closed and its listeners were told."""
        if self._link is None:
            if self.machine.may(Phase.DISCONNECTED):
                self.machine.advance(Disconnected())
            return
        self._closing = True
        await self._close(self._link, code, reason)

    async def drop(self, reason: str) -> None:
        """Give up a line that is of no use any more. To listeners it has broken (1006), for this reason."""
        if self._link is not None:
            self._dropped = reason
            await self._close(self._link, CloseCode.GOING_AWAY, reason)

    async def _close(self, link: Link, code: int, reason: str) -> None:
        reader = self._reader
        await link.close(code, reason)
        if reader is None:
            return
        # The reader may wait for a listener that lags and, perhaps, waits for us.
        _, waiting = await asyncio.wait({reader}, timeout=CLOSE_WAIT_S)
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting)

    async def dispose(self) -> None:
        """Disconnect and end all listeners' streams. A failure stays the last state."""
        if self._link is not None:
            await self.disconnect()
        self._messages.close()
        self.machine.close()

    async def _read(self, link: Link, protocol: Connection) -> None:
        """Hop 1 to 3 of the client: frames from the link, through the protocol, to the listeners."""
        closed = LinkClosed(1006, "the reader was stopped")
        try:
            while True:
                data = await link.receive()
                self.frames_heard += 1
                self._heard.set()
                for item in protocol.receive(data):
                    self._messages.publish(cast("Incoming", item))  # a client's end gives a server's messages
                    if isinstance(item, Fault) and item.fatal_close is not None:
                        await link.close(item.fatal_close, item.message)
                await self._messages.room()
        except ConnectionLost as lost:
            closed = LinkClosed(lost.code, lost.reason)
        finally:
            protocol.closed()
            self._link_is_gone(closed)

    def _link_is_gone(self, closed: LinkClosed) -> None:
        self._link = self._protocol = self._reader = None
        if self._dropped is not None:
            closed = LinkClosed(1006, self._dropped)
        closed = replace(closed, ours=self._closing, link=self.link_number)
        self._messages.publish(closed)
        gone = Disconnected() if closed.orderly else Errored(str(ConnectionLost(closed.code, closed.reason)))
        # A failed handshake closes the line itself: the failure stays the last word.
        if self.is_connected:
            self.machine.advance(gone)
