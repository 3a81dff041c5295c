"""Keeps one client in conversation: connects, resumes after every loss, and knows when it is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from lumi.client.connection_notifier import ConnectionNotifier
from lumi.client.connection_service import ConnectionService
from lumi.client.events import LinkClosed
from lumi.client.handshake import HANDSHAKE_TIMEOUT_S, Profile, closed_error
from lumi.client.inbox import Inbox
from lumi.client.lifecycle import LifecycleManager
from lumi.client.reconnection import FOR_EVER, ReconnectionManager, ReconnectPolicy, is_retryable
from lumi.errors import HandshakeError, LocalProtocolError, LumiError, NetworkError, NotConnected
from lumi.protocol.handshake import HandshakeResult
from lumi.protocol.messages import ErrorCode, Goodbye

_log = logging.getLogger("lumi.client.connection")

SCHEMES = frozenset({"ws", "wss"})

GOODBYE_S = 1.0
"""A line that does not take our goodbye in this time goes without one."""


@dataclass(slots=True)
class Destination:
    """Where to connect to. A server may send its clients elsewhere; where that fails they come back home."""

    home: str
    headers: Mapping[str, str]
    moved: str | None = None
    wait_s: float | None = None
    """How long the server asked to stay away, for the next start."""

    @property
    def url(self) -> str:
        return self.moved or self.home

    def take_leave(self, goodbye: Goodbye) -> None:
        """The server said goodbye: when, and where, it wants its clients back."""
        self.wait_s = goodbye.retry_after
        if not goodbye.url:
            return
        scheme = urlsplit(goodbye.url).scheme
        # What was said in secret may not go on in the open because somebody asks for it.
        if scheme not in SCHEMES or (scheme == "ws" and urlsplit(self.home).scheme == "wss"):
            _log.warning("the server sends us to %r, which is no better address: staying", goodbye.url)
            return
        self.moved = goodbye.url

    def take_wait(self) -> float | None:
        """The asked wait, once."""
        wait_s, self.wait_s = self.wait_s, None
        return wait_s


class ConnectionSupervisor:
    """The one loop behind a client. `run` it in the service's scope, and `open` to wait for the first ready.

    Args:
        service: the line.
        inbox: hands what comes to the application; knows what came already, and what must be answered.
        destination: where the server is.
        profile: what hello says.
        policy: how often and how long to reconnect.
        handshake_timeout_s: how long the server may take to answer hello.
    """

    def __init__(
        self,
        service: ConnectionService,
        inbox: Inbox,
        destination: Destination,
        profile: Profile,
        *,
        policy: ReconnectPolicy = FOR_EVER,
        handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S,
    ) -> None:
        self.greeting: HandshakeResult | None = None
        """What the latest handshake agreed on."""
        self.manager = ReconnectionManager(
            self._attempt, service.scope, policy=policy, on_gave_up=self._gave_up
        )
        self.lifecycle = LifecycleManager(service, self.reconnect_now)
        self._service = service
        self._notifier = ConnectionNotifier(service, handshake_timeout_s=handshake_timeout_s)
        self._inbox = inbox
        self._destination = destination
        self._profile = profile
        self._ready = asyncio.Event()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parting: LumiError | None = None
        """How the latest line ended, if that was in an orderly way."""
        self.ended: LumiError | None = None
        """Why there will be no more lines."""
        inbox.pipeline.add_step(Goodbye, self._goodbye)

    async def open(self) -> None:
        """Wait for the first ready.

        Raises:
            LumiError: it will not come: a refusal, or the tries are used up.
        """
        await asyncio.shield(self._opened)

    async def run(self) -> None:
        """Connect, serve one line after the other, until the scope is left."""
        self.manager.start(at_once=True)
        while True:
            await self._ready.wait()
            self._ready.clear()
            closed = await self._serve(self._service.link_number)
            if self.ended is None:
                self._lost(closed)

    async def close(self) -> None:
        """End the conversation for good."""
        self._finish(NotConnected("the client was closed"), orderly=True)
        self.manager.dispose()
        if self.greeting is not None and self.greeting.features.resume and self._service.is_connected:
            await until_lost(self._say_goodbye())
        await self._service.disconnect(reason="client closed")

    async def _say_goodbye(self) -> None:
        """The session need not be kept for us."""
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self._service.send_message(Goodbye(reason="client closed"))
        except (TimeoutError, LocalProtocolError) as error:
            _log.debug("left without a goodbye: %s", error)

    def reconnect_now(self) -> None:
        """Do not wait any longer for the next try."""
        self.manager.retry_now()

    async def _attempt(self) -> None:
        request = self._inbox.resumption.request()
        destination = self._destination
        try:
            self.greeting = await self._notifier.connect(
                destination.url, destination.headers, replace(self._profile, resume=request)
            )
        except LumiError as error:
            destination.moved = None
            if (
                request is not None
                and isinstance(error, HandshakeError)
                and error.code == ErrorCode.BAD_MESSAGE
            ):
                self._inbox.resumption.forget()  # it has lost count of that session: begin a new one
                raise HandshakeError(str(error)) from error
            raise
        self._ready.set()
        if not self._opened.done():
            self._opened.set_result(None)

    async def _serve(self, link: int) -> LinkClosed:
        """The life of one line: what is unanswered goes out, what came is acknowledged, the heart beats."""
        greeting = self.greeting
        work = (
            self._inbox.outbox.run(),
            self._inbox.resumption.acknowledge(self._service.send_message),
            # Who lets us resume knows all of the protocol, `ping` included.
            self.lifecycle.run(answers=greeting is not None and greeting.features.resume),
            self._mind_gaps(),
        )
        async with asyncio.TaskGroup() as tasks:
            started = [tasks.create_task(until_lost(one)) for one in work]
            closed = await self._inbox.closed(link)
            self._inbox.outbox.line_lost()
            for task in started:
                task.cancel()
        return closed

    async def _mind_gaps(self) -> None:
        await self._inbox.resumption.gap()
        await self._service.drop("an event is missing: it comes again after a resume")

    def _lost(self, closed: LinkClosed) -> None:
        error = closed_error(closed)
        self._parting = error if closed.orderly else None
        _log.info("the line is gone: %s", error)
        if is_retryable(error):
            self.manager.start(wait_s=self._destination.take_wait(), because=error)
        else:
            self._gave_up(error)

    def _gave_up(self, error: LumiError) -> None:
        _log.info("no more tries: %s", error)
        self._finish(error, orderly=error is self._parting)

    def _finish(self, error: LumiError, *, orderly: bool) -> None:
        if self.ended is not None:
            return
        self.ended = error
        self._inbox.outbox.finish(error)
        self._inbox.finish(None if orderly else error)
        if not self._opened.done():
            self._opened.set_exception(error)
            self._opened.exception()  # perhaps nobody waits: then it is no failure either

    async def _goodbye(self, goodbye: Goodbye) -> Goodbye:
        self._destination.take_leave(goodbye)
        return goodbye


async def until_lost(work: Awaitable[None]) -> None:
    """Work that a lost line ends."""
    try:
        await work
    except NetworkError as error:
        _log.debug("ended with the line: %s", error)
