"""The client's end of a session that outlives its lines: which events have come, what to say when coming back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from lumi.protocol.messages import Ack, Notify, Response, ResumeRequest, ServerHello, Stt
from lumi.protocol.stream_management import ACK_WITHIN_S, Arrival, ReceivedEvents

ACK_DELAY_S = ACK_WITHIN_S / 2
"""Several events share an `ack`, and it is there well within the second that a server counts on."""

Counted = TypeVar("Counted", Response, Stt, Notify)


class Resumption:
    """Counts one client's events over all its lines."""

    def __init__(self) -> None:
        self._session_id: str | None = None
        self._granted = False
        self._events = ReceivedEvents()
        self._due = asyncio.Event()
        self._gap = asyncio.Event()

    @property
    def received(self) -> int:
        """The last event of an unbroken row."""
        return self._events.received

    def request(self) -> ResumeRequest | None:
        """What the next hello says of the session before; None where there is none to go on with."""
        if self._session_id is None or not self._granted:
            return None
        return ResumeRequest(session_id=self._session_id, received=self._events.received)

    def forget(self) -> None:
        """The server will not hear of that session: the next one is new."""
        self._session_id = None

    async def greeted(self, hello: ServerHello) -> ServerHello:
        """The server said hello: in the session we had, or in a new one, whose events are counted from the start."""
        if not hello.session_id:
            return hello
        self._granted = bool(hello.features and hello.features.resume)
        if hello.resumed is not True and hello.session_id != self._session_id:
            self._events = ReceivedEvents()
        self._session_id = hello.session_id
        self._gap.clear()
        return hello

    async def count(self, event: Counted) -> Counted | None:
        """Let an event pass if it is new. One that was seen, or that comes after a gap, stops here."""
        if not isinstance(event.seq, int):
            return event
        arrival = self._events.take(event.seq)
        if arrival is Arrival.GAP:
            self._gap.set()
            return None
        self._due.set()
        return event if arrival is Arrival.NEXT else None

    async def gap(self) -> None:
        """Wait until an event is missing: only a resume brings it again."""
        await self._gap.wait()

    async def acknowledge(self, send: Callable[[Ack], Awaitable[object]]) -> None:
        """For as long as a line lives: say what has come, within a second.

        Raises:
            NetworkError: as `send` does.
        """
        while True:
            await self._due.wait()
            await asyncio.sleep(ACK_DELAY_S)
            self._due.clear()
            seq = self._events.ack_due
            if seq is not None:
                await send(Ack(seq=seq))
                self._events.acked(seq)
