"""What the user typed, until it is answered."""

from __future__ import annotations

from lumi.client.client import Client
from lumi.client.handshake import new_id
from lumi.client.task_scope import TaskScope
from lumi.errors import LocalProtocolError, LumiError, Overloaded, ReplyTimeout, ServerError, StoreError
from lumi.tui.model import Model

MAX_WAITING = 32
"""Unanswered messages; more are refused aloud. As many as a server lets wait."""

PATIENCE_S = 12 * 3600.0
"""How long a message may wait for its answer, lost lines included."""

OWN_FAULTS = (ServerError, ReplyTimeout, Overloaded, StoreError, LocalProtocolError)
"""What is said of one message; anything else ends the client, and the message is kept for the next one."""


class Outgoing:
    """Hands every text to the client, which sees to it that it is answered once over any number of lines; keeps
    those that a client leaves unanswered when it ends.
    """

    def __init__(self, model: Model, *, limit: int = MAX_WAITING) -> None:
        self._model = model
        self._limit = limit
        self._unanswered: dict[str, str] = {}
        self._client: Client | None = None
        self._tasks: TaskScope | None = None

    def __len__(self) -> int:
        return len(self._unanswered)

    def add(self, text: str, now_s: float) -> None:
        """Take a text; it goes out as soon as there is a line.

        Raises:
            Overloaded: too many wait already.
        """
        if len(self._unanswered) >= self._limit:
            raise Overloaded(f"{self._limit} messages are waiting already")
        message_id = new_id()
        self._unanswered[message_id] = text
        self._model.said(text, message_id, now_s)
        self._start(message_id)

    def attach(self, client: Client, tasks: TaskScope) -> None:
        """There is a client: what an earlier one left unanswered goes to it, with the same ids."""
        self._client, self._tasks = client, tasks
        for message_id in self._unanswered:
            self._start(message_id)

    def detach(self) -> None:
        """The client has ended."""
        self._client = self._tasks = None

    def _start(self, message_id: str) -> None:
        if self._client is not None and self._tasks is not None:
            self._tasks.start(self._deliver(self._client, message_id), name=f"chat {message_id}")

    async def _deliver(self, client: Client, message_id: str) -> None:
        try:
            await client.chat(self._unanswered[message_id], chat_id=message_id, timeout_s=PATIENCE_S)
        except OWN_FAULTS as error:
            del self._unanswered[message_id]
            self._model.failed(message_id, error)
        except LumiError:
            return  # the client's end, which is shown where it is noticed
        else:
            del self._unanswered[message_id]
            self._model.answered(message_id)
