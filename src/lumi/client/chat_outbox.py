"""A client's chats and notes from the moment they are said to the moment they are answered, once, whatever happens
to the line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator

from msgspec import UNSET

from lumi.client.message_queue import WINDOW, MessageQueue
from lumi.client.offline_queue import OfflineQueue, Queueable, QueuedMessage
from lumi.client.pending_replies import PendingReplies
from lumi.client.reconnection import MAX_ASKED_DELAY_S, backoff
from lumi.client.voice_notes import Send
from lumi.errors import LocalProtocolError, LumiError, NotConnected
from lumi.protocol.codec import MAX_CONTENT_CHARS, encode
from lumi.protocol.faults import Limits
from lumi.protocol.messages import (
    RETRYABLE,
    AudioFrame,
    Chat,
    ClientMessage,
    Error,
    ErrorCode,
    Response,
)

REMEMBERED = 1_000
"""Answered ids kept, so that an answer that comes twice is shown once."""

IN_ORDER = 1
"""Chats on the line at a time where a failed one is sent again: the next must not overtake it."""

HOLD_S = 2.0
"""After a retryable error, where the server asks for nothing else; it doubles with each in a row, up to a minute."""

_log = logging.getLogger("lumi.client.outbox")


def _holds() -> Iterator[float]:
    return backoff(first_s=HOLD_S, tries=None)


class ChatOutbox:
    """Keeps, sends, sends again, and matches the answers.

    Args:
        send: puts a message on the line.
        kept: where everything unanswered lies; opened and closed by its owner.
        patience_s: how long an answer is waited for where the caller does not say. None: for ever, and a retryable
            error is waited out, what failed is sent again, and who stops waiting does not take the message back.
            Otherwise every error is raised, and what nobody waits for is forgotten.
    """

    def __init__(
        self,
        send: Send,
        kept: OfflineQueue,
        *,
        patience_s: float | None = None,
    ) -> None:
        self.pending = PendingReplies(limit=REMEMBERED)
        self._send = send
        self._kept = kept
        self.patience_s = patience_s
        self._patient = patience_s is None
        self._queue = MessageQueue(
            self._put_on_line,
            kept,
            on_given_up=self._given_up,
            window=IN_ORDER if patience_s is None else WINDOW,
        )
        self._news = asyncio.Event()
        self._answered: dict[str, None] = {}
        self._hold_until_s = 0.0
        self._holds = _holds()
        self._ended: LumiError | None = None

    def __len__(self) -> int:
        """How many are unanswered."""
        return len(self._kept)

    async def ask(self, chat: Chat, on_delta: Callable[[str], None] | None = None) -> Response:
        """Send a chat as soon as there is a line, and wait for its answer over any number of lines.

        Raises:
            ServerError: the server will not answer it.
            Overloaded, StoreError: it could not be kept, and was not sent.
            LocalProtocolError: its id is taken, or it is too long.
            ReplyTimeout: it waited in the queue beyond the age limit.
            NotConnected: the client has ended.
            LumiError: what ended it meanwhile.
        """
        check_size(chat)
        with self.pending.expect(chat.id, on_delta) as answer:
            try:
                await self.keep(chat)
                return await answer
            finally:
                answered = answer.done() and not answer.cancelled()  # who stops waiting cancels it
                if answered or not self._patient:
                    await self._queue.settle(chat.id)

    async def keep(self, message: Queueable) -> None:
        """Take a message; it goes out as soon as there is a line. On disk, where there is one, when this returns."""
        if self._ended is not None:
            raise NotConnected(f"the conversation is over: {self._ended}") from self._ended
        await self._kept.add(message)
        self._news.set()

    async def run(self) -> None:
        """For as long as a line lives: send all that is unanswered, in order, and what is said meanwhile."""
        while True:
            self._news.clear()
            await self._queue.process_offline_messages()
            await self._news.wait()

    def line_lost(self) -> None:
        """Everything unanswered goes out again on the next line."""
        self._queue.line_lost()

    def finish(self, error: LumiError) -> None:
        """There will be no more lines: nobody waits any longer. What is kept on disk stays there."""
        self._ended = error
        self.pending.fail_all(error)

    # ── what came back: steps of the pipeline ────────────────────────────────────────────────────────────────────

    async def answered(self, response: Response) -> Response | None:
        """An answer: to whoever waits, and on to the listeners; one that was shown before stops here."""
        message_id = response.id or ""
        if not response.is_final:
            return await self.pending.answered(response)
        if message_id in self._answered and message_id not in self.pending:
            await self._queue.settle(message_id)
            return None
        if message_id in self._kept:
            self._remember(message_id)
            await self._settle_unless_awaited(message_id)
        return await self.pending.answered(response)

    async def failed(self, error: Error) -> Error | None:
        """An error about a chat or note: sent again later, or raised where it is awaited."""
        message_id = error.id or error.request_id or ""
        if message_id not in self._kept:
            return await self.pending.failed(error)
        if error.error_code == ErrorCode.NOT_READY:
            self._queue.put_back(message_id)
            return None
        if self._patient and (error.retryable or error.error_code in RETRYABLE):
            self._hold(error)
            self._queue.put_back(message_id)
            self._news.set()
            return None
        await self._settle_unless_awaited(message_id)
        return await self.pending.failed(error)

    # ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _settle_unless_awaited(self, message_id: str) -> None:
        """Whoever waits settles it on waking: between the two it could still be sent again, after being killed."""
        self._holds = _holds()
        if message_id not in self.pending:
            await self._queue.settle(message_id)

    def _remember(self, message_id: str) -> None:
        self._answered[message_id] = None
        if len(self._answered) > REMEMBERED:
            del self._answered[next(iter(self._answered))]

    def _hold(self, error: Error) -> None:
        asked_s = None if error.retry_after is UNSET else error.retry_after
        wait_s = min(max(next(self._holds), asked_s or 0.0), MAX_ASKED_DELAY_S)
        self._hold_until_s = asyncio.get_running_loop().time() + wait_s
        _log.info("%s: trying again in %.1f s", error.error_code, wait_s)

    async def _put_on_line(self, message: ClientMessage | AudioFrame) -> None:
        """Not before the time that the server has asked for."""
        await asyncio.sleep(max(0.0, self._hold_until_s - asyncio.get_running_loop().time()))
        await self._send(message)

    def _given_up(self, queued: QueuedMessage, error: LumiError) -> None:
        _log.warning("message %s was given up: %s", queued.id, error)
        self.pending.fail(queued.id, error)


def check_size(chat: Chat) -> None:
    """A frame that no server takes would end one line after the other.

    Raises:
        LocalProtocolError: the text is too long for a frame.
    """
    size_bytes = len(encode(chat).encode("utf-8", "surrogatepass"))
    if size_bytes > Limits().text_bytes:
        raise LocalProtocolError(
            f"this text makes a message of {size_bytes} bytes; accepted: {MAX_CONTENT_CHARS} characters, "
            f"{Limits().text_bytes} bytes at most"
        )
