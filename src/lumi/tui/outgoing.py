"""What the user typed, on its way: in order, one after the other, kept until it is answered."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from lumi.client.client import Client
from lumi.client.handshake import new_id
from lumi.errors import ConnectionLost, LumiError, NotConnected, Overloaded
from lumi.tui.model import Model

MAX_WAITING = 32
"""Messages typed while there is no line; more are refused aloud."""


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    text: str


class Outgoing:
    """Survives the line: what was not answered is sent again, with the same id, on the next one."""

    def __init__(self, model: Model, *, limit: int = MAX_WAITING) -> None:
        self._model = model
        self._limit = limit
        self._waiting: deque[Message] = deque()
        self._news = asyncio.Event()

    def add(self, text: str) -> None:
        """Take a text; it goes out as soon as there is a line.

        Raises:
            Overloaded: too many wait already.
        """
        if len(self._waiting) >= self._limit:
            raise Overloaded(f"{self._limit} messages are waiting already")
        message = Message(new_id(), text)
        self._waiting.append(message)
        self._model.said(text, message.id)
        self._count()
        self._news.set()

    async def send_all(self, client: Client) -> None:
        """Send what waits and what comes, until the line breaks."""
        clock = asyncio.get_running_loop().time
        while True:
            while self._waiting:
                message = self._waiting[0]
                self._model.sent(message.id, clock())
                self._count(in_flight=1)
                try:
                    await client.chat(message.text, chat_id=message.id)
                except (ConnectionLost, NotConnected):
                    self._model.unsent(message.id)
                    self._count()
                    return
                except LumiError as error:
                    self._model.failed(message.id, error)
                self._waiting.popleft()
                self._count()
            self._news.clear()
            await self._news.wait()

    def _count(self, *, in_flight: int = 0) -> None:
        self._model.queued(len(self._waiting) - in_flight)
