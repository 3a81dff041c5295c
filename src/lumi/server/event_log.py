"""What one session must not lose on its way to the client: numbered, stored, sent, and said again after a resume."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from lumi.errors import StoreError
from lumi.protocol.codec import decode_server, encode
from lumi.protocol.messages import Message
from lumi.protocol.stream_management import SentEvents, must_not_be_lost
from lumi.server.log import Subject, logger
from lumi.store.base import SessionRecord, Store, StoredEvent

log = logger(Subject.STORE)


class EventLog:
    """One session's events. For a client that did not ask to resume, messages just pass.

    An event is stored before it is sent, so that a server that dies in between has not lost it. A store that fails
    costs the event only its safety: it is sent all the same, and the log says so.
    """

    def __init__(
        self,
        session_id: str,
        owner: str,
        store: Store,
        send: Callable[[Message], None],
        wall_clock: Callable[[], float],
        *,
        kept: bool,
    ) -> None:
        self.kept = kept
        self._session_id = session_id
        self._owner = owner
        self._store = store
        self._send = send
        self._wall_clock = wall_clock
        self._sent: SentEvents[Message] = SentEvents()
        self._replayed = 0
        self._order = asyncio.Lock()  # events leave in the order of their numbers
        self._recorded = False

    def can_resume(self, received: int) -> bool:
        """Whether everything after event `received` is still here."""
        return self.kept and self._sent.can_resume(received)

    async def post(self, message: Message) -> None:
        """Send a message; one that must not be lost gets its number and is stored first."""
        if not self.kept or not must_not_be_lost(message):
            self._send(message)
            return
        async with self._order:
            event: Message = msgspec.structs.replace(message, seq=self._sent.next_seq)
            seq = self._sent.keep(event)
            try:
                await self._keep(
                    StoredEvent(self._session_id, seq, encode(event).encode(), self._wall_clock())
                )
            finally:  # also where its turn is cut off here: a number that never comes costs the client its line
                if seq > self._replayed:  # a client that came back meanwhile has just been told
                    self._send(event)

    def replay(self, received: int) -> None:
        """Say again what the client has not seen, in order.

        Raises:
            ProtocolError: `bad_message`, a number that was never given out.
        """
        for seq, event in self._sent.after(received):
            self._send(event)
            self._replayed = seq

    async def acknowledge(self, seq: int) -> None:
        """The client has all events up to `seq`.

        Raises:
            ProtocolError: `bad_message`, a number that was never given out.
        """
        if self.kept and self._sent.acknowledge(seq):
            await self._try("acknowledge", self._store.events.acknowledge(self._session_id, seq))

    async def record(self) -> None:
        """Note in the store that the client was here now, so that it may come back, also to a server started anew."""
        if self.kept:
            now = self._wall_clock()
            sent = self._sent
            record = SessionRecord(
                self._session_id, self._owner, now, now, sent.acknowledged, sent.next_seq, b""
            )
            self._recorded = await self._try("record", self._store.sessions.save(record))

    async def restore(self, record: SessionRecord) -> None:
        """Go on where a server before us stopped.

        What could not be stored then leaves a gap: only the events after it can be said again.
        """
        stored = await self._store.events.after(self._session_id, record.acknowledged)
        last_seq = record.next_seq - 1
        whole: deque[Message] = deque()
        for event in reversed(stored):
            if event.seq != last_seq - len(whole):
                break
            whole.appendleft(decode_server(event.payload))
        self._sent = SentEvents(last_seq=last_seq, unacknowledged=tuple(whole))
        self._recorded = True

    async def forget(self) -> None:
        """The client will not come back."""
        if self._recorded:
            self._recorded = False
            await self._try("forget", self._store.sessions.delete(self._session_id))

    async def _keep(self, event: StoredEvent) -> None:
        if not self._recorded:
            await self.record()
        await self._try("keep", self._store.events.append(event))

    async def _try(self, what: str, writing: Awaitable[object]) -> bool:
        try:
            await writing
        except StoreError as error:
            log.warning("event not safe", session=self._session_id, step=what, error=str(error))
            return False
        return True
