"""Who waits for which answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from msgspec import UNSET

from lumi.errors import LocalProtocolError, LumiError, ServerError
from lumi.protocol.messages import Error, Response

MAX_PENDING = 32
"""As many chats of one session may wait at the server; more are refused here, aloud."""


@dataclass(frozen=True, slots=True)
class _Waiter:
    answer: asyncio.Future[Response]
    on_delta: Callable[[str], None] | None


def server_error(error: Error) -> ServerError:
    """The server's `error` as an exception."""
    return ServerError(
        error.error_code,
        error.error_message or error.message,
        retryable=error.retryable,
        retry_after_s=None if error.retry_after is UNSET else error.retry_after,
        message_id=error.id,
    )


class PendingReplies:
    """Chats that were sent and not yet answered, by id. Whoever waits no longer is forgotten at once."""

    def __init__(self, limit: int = MAX_PENDING) -> None:
        self._limit = limit
        self._waiters: dict[str, _Waiter] = {}

    def __len__(self) -> int:
        return len(self._waiters)

    def __contains__(self, chat_id: object) -> bool:
        """Whether somebody waits, still unanswered."""
        return chat_id in self._waiters and not self._waiters[str(chat_id)].answer.done()

    @contextmanager
    def expect(
        self, chat_id: str, on_delta: Callable[[str], None] | None = None
    ) -> Iterator[asyncio.Future[Response]]:
        """The future answer to `chat_id`, expected as long as the block runs.

        Raises:
            LocalProtocolError: this id is being waited for already, or too many are.
        """
        if chat_id in self._waiters:
            raise LocalProtocolError(f"a chat with the id {chat_id!r} is waiting already: give each its own")
        if len(self._waiters) >= self._limit:
            raise LocalProtocolError(f"{self._limit} chats are waiting already: await some answers first")
        waiter = _Waiter(asyncio.get_running_loop().create_future(), on_delta)
        self._waiters[chat_id] = waiter
        try:
            yield waiter.answer
        finally:
            del self._waiters[chat_id]
            # An answer that came too late for its waiter is nobody's: cancel() does nothing then, and a failure
            # must be looked at or the loop complains of it.
            if not waiter.answer.cancel() and not waiter.answer.cancelled():
                waiter.answer.exception()

    async def answered(self, response: Response) -> Response:
        """A response came: a delta is passed to who asked for it, the whole text ends the waiting."""
        waiter = self._waiters.get(response.id or "")
        if waiter is None or waiter.answer.done():
            return response
        if response.is_final:
            waiter.answer.set_result(response)
        elif waiter.on_delta is not None and isinstance(response.delta, str):
            waiter.on_delta(response.delta)
        return response

    async def failed(self, error: Error) -> Error | None:
        """An error came: whoever waits for its message gets it raised; one that nobody waits for is forwarded."""
        waiter = self._waiters.get(error.id or error.request_id or "")
        if waiter is None or waiter.answer.done():
            return error
        waiter.answer.set_exception(server_error(error))
        return None

    def fail(self, chat_id: str, error: LumiError) -> None:
        """Tell whoever waits for `chat_id` that it will not be answered."""
        waiter = self._waiters.get(chat_id)
        if waiter is not None and not waiter.answer.done():
            waiter.answer.set_exception(error)

    def fail_all(self, error: LumiError) -> None:
        """The line is gone: nobody waits in vain."""
        for waiter in self._waiters.values():
            if not waiter.answer.done():
                waiter.answer.set_exception(error)
