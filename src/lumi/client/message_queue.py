"""Sends what must arrive: tried again, then kept for the next ready, in order, until it is answered.

said ──▶ kept ──▶ sent (pending) ──answer──▶ settled
          ▲  │ fails: 3 tries, 2 s apart │
          │  └──▶ offline until the next ready
          └── line lost: everything unanswered goes out again, with the same id
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from lumi.client.offline_queue import OfflineQueue, Queueable, QueuedMessage
from lumi.client.voice_notes import Send, VoiceNote, deliver_note
from lumi.errors import LocalProtocolError, LumiError, NetworkError, ReplyTimeout

TRIES = 3
RETRY_DELAY_S = 2.0

WINDOW = 16
"""Sent and unanswered at a time: a server lets 32 of a session wait and refuses more."""

GivenUp = Callable[[QueuedMessage, LumiError], None]

_log = logging.getLogger("lumi.client.queue")


def _log_given_up(queued: QueuedMessage, error: LumiError) -> None:
    _log.warning("message %s was given up: %s", queued.id, error)


class MessageQueue:
    """One client's way out for chats and voice notes. Any number of tasks may send; what they say keeps its order.

    Args:
        send: puts a message on the line. A `NetworkError` or `LocalProtocolError` (no handshake yet) is tried again.
        queue: keeps what is unanswered.
        on_given_up: told of a message that will not be sent any more, since it waited too long, and the error to say so.
        tries: how often in a row, `retry_delay_s` apart, before it waits for the next ready.
        window: how many may be unanswered at a time.
    """

    def __init__(
        self,
        send: Send,
        queue: OfflineQueue,
        *,
        on_given_up: GivenUp = _log_given_up,
        tries: int = TRIES,
        retry_delay_s: float = RETRY_DELAY_S,
        window: int = WINDOW,
    ) -> None:
        self._send = send
        self._queue = queue
        self._on_given_up = on_given_up
        self._tries = tries
        self._retry_delay_s = retry_delay_s
        self._window = window
        self._pending: set[str] = set()
        """Sent on the present line and unanswered."""
        self._offline = False
        """Tries are used up: everything waits for the next ready."""
        self._sending = asyncio.Lock()
        self._settled = asyncio.Event()
        self._ready = asyncio.Event()

    @property
    def pending(self) -> frozenset[str]:
        """Ids of what was sent on the present line and is not answered."""
        return frozenset(self._pending)

    @property
    def waiting(self) -> int:
        """How many wait to be sent: the length of the offline queue."""
        return len(self._queue) - sum(one in self._queue for one in self._pending)

    async def send(self, message: Queueable) -> bool:
        """Keep a message, then send it after those before it. True: it is on the line; False: at the next ready.

        Either way it is kept until `settle`.

        Raises:
            Overloaded: the queue is full; the message was not kept.
            StoreError: the disk would not take it; the message was not kept.
            LocalProtocolError: its id is taken by another message.
        """
        await self._queue.add(message)
        if self._offline:
            return False
        async with self._sending:
            if not self._offline and self._is_unsent(message.id):
                await self._send_all(up_to=message.id)
            return not self._is_unsent(message.id)

    async def process_offline_messages(self) -> int:
        """There is a ready line: send everything unsent, in order, each with its retries anew. Call it at every ready.

        Returns:
            How many were dealt with. Fewer than waited if the line was lost again.
        """
        self._offline = False
        self._queue.reset_retries()
        self._ready.set()  # who waits between two tries goes on at once
        async with self._sending:
            return await self._send_all()

    async def settle(self, message_id: str) -> bool:
        """It was answered, or nobody wants the answer any longer: forget it. False if it is not here."""
        self.put_back(message_id)
        return await self._queue.remove(message_id)

    def put_back(self, message_id: str) -> None:
        """The server could not take it now (a retryable error): it goes out again when the queue is processed next."""
        self._pending.discard(message_id)
        self._settled.set()

    def line_lost(self) -> None:
        """The line is gone: nothing on it will be answered there."""
        self._pending.clear()
        self._settled.set()

    def _is_unsent(self, message_id: str) -> bool:
        return message_id in self._queue and message_id not in self._pending

    def _is_next(self, queued: QueuedMessage) -> bool:
        """Still the oldest that is unsent: while it waited, a lost line or the server may have put others back."""
        first = self._queue.first(without=self._pending)
        return first is not None and first.id == queued.id

    async def _send_all(self, *, up_to: str | None = None) -> int:
        await self._give_up_old_ones()
        sent = 0
        while (queued := self._queue.first(without=self._pending)) is not None:
            await self._room()
            if not await self._send_with_retry(queued):
                self._offline = True
                break
            if self._is_unsent(queued.id):
                continue  # an older one was put back, and goes first
            sent += 1
            if queued.id == up_to:
                break
        return sent

    async def _give_up_old_ones(self) -> None:
        for queued in await self._queue.take_expired(without=self._pending):
            self._on_given_up(queued, ReplyTimeout("no connection came in time: the message was not sent"))

    async def _room(self) -> None:
        """Wait until the server can take one more."""
        while len(self._pending) >= self._window:
            self._settled.clear()
            await self._settled.wait()

    async def _send_with_retry(self, queued: QueuedMessage) -> bool:
        """True when it went out, is wanted no longer or its turn no longer; False when its tries are used up."""
        while self._is_next(queued):
            self._ready.clear()
            if await self._sent(queued.message):
                return True
            if self._queue.count_retry(queued.id) >= self._tries:
                return False
            await self._pause()
        return True

    async def _sent(self, message: Queueable) -> bool:
        self._pending.add(message.id)  # the answer may come before the sending is over
        try:
            await self._put_on_line(message)
        except (NetworkError, LocalProtocolError) as error:
            self.put_back(message.id)
            _log.info("message %s could not be sent: %s", message.id, error)
            return False
        except BaseException:
            self.put_back(message.id)
            raise
        return True

    async def _put_on_line(self, message: Queueable) -> None:
        if isinstance(message, VoiceNote):
            await deliver_note(self._send, message)
        else:
            await self._send(message)

    async def _pause(self) -> None:
        """Two tries lie so far apart, unless a line becomes ready in between."""
        try:
            async with asyncio.timeout(self._retry_delay_s):
                await self._ready.wait()
        except TimeoutError:
            return
