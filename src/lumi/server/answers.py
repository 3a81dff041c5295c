"""One answer for each chat, however often and from wherever it is asked."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lumi.errors import ProtocolError
from lumi.protocol.messages import ErrorCode
from lumi.store.base import Answer, AnswerStore

ANSWERS_KEPT_S = 24 * 3600.0
"""Longer than a client keeps an unanswered chat (12 hours)."""


@dataclass(frozen=True, slots=True)
class Making:
    """An answer that somebody is working on."""

    digest: str
    done: asyncio.Future[None]


class AnswerDesk:
    """Answers a known chat from the store, joins an answer in the making, or has it made and stores it.

    One for the whole server: a device that comes back on a new connection while its answer is being made gets that one.
    """

    def __init__(self, store: AnswerStore, wall_clock: Callable[[], float]) -> None:
        self._store = store
        self._wall_clock = wall_clock
        self._making: dict[tuple[str, str], Making] = {}

    async def answer(
        self, owner: str, chat_id: str, question: str, make: Callable[[], Awaitable[str]]
    ) -> str:
        """The answer to `question`; `make` is called only if there is none yet.

        Raises:
            ProtocolError: `bad_message`, the same id came before with other content.
        """
        digest = hashlib.blake2b(question.encode(), digest_size=16).hexdigest()
        key = (owner, chat_id)
        while True:
            if (making := self._making.get(key)) is not None:
                self._same_question(chat_id, digest, making.digest)
                await making.done
            known = await self._store.get(owner, chat_id)
            if known is not None:
                self._same_question(chat_id, digest, known.question_digest)
                return known.payload.decode()
            if key not in self._making:
                return await self._make(key, digest, make)

    async def _make(self, key: tuple[str, str], digest: str, make: Callable[[], Awaitable[str]]) -> str:
        """Make and store; whoever joined is woken in any case, and looks again."""
        making = self._making[key] = Making(digest, asyncio.get_running_loop().create_future())
        try:
            text = await make()
            await self._store.put(Answer(*key, digest, text.encode(), self._wall_clock()))
        finally:
            del self._making[key]
            making.done.set_result(None)
        return text

    @staticmethod
    def _same_question(chat_id: str, digest: str, known: str) -> None:
        if digest != known:
            message = f"id {chat_id!r} was used before with other content; give every chat an id of its own"
            raise ProtocolError(ErrorCode.BAD_MESSAGE, message, message_id=chat_id)
