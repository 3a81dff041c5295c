"""From what the line brings to what the application sees: valid, parsed, processable, processed, forwarded."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any, TypeVar, cast

from lumi.client.events import Audio, Event, Incoming, LinkClosed
from lumi.errors import LumiError, ProtocolError
from lumi.protocol.messages import SERVER_TYPES, AudioFrame, Fault, ServerMessage

E = TypeVar("E", bound=Event)

Step = Callable[[E], Awaitable[E | None]]
"""Processes one event of its type; None keeps it from the application."""

Forward = Callable[[Event], None]
OnError = Callable[[Exception, object], None]

SUPPORTED: frozenset[type] = frozenset({*SERVER_TYPES, Audio})
"""What is processed; other types are passed by."""

_log = logging.getLogger("lumi.client.pipeline")


def log_error(error: Exception, item: object) -> None:
    """The default error rule: say so in the log, and go on."""
    _log.warning(
        "%s while processing %s", error, type(item).__name__, exc_info=not isinstance(error, LumiError)
    )


class MessagePipeline:
    """Runs every item of a line through five stages.

    valid: a `Fault` (the server's nonsense) goes to `on_error`. parsed: sound becomes an `Audio` event by `parse`.
    processable: types not in `supported` are passed by. processed: the steps of the event's type, in the order of
    their adding; a step that raises costs that one event, never the stream. forwarded: the rest goes to `forward`.
    """

    def __init__(
        self,
        forward: Forward,
        *,
        parse: Callable[[AudioFrame], Audio] = lambda frame: Audio(frame.payload),
        supported: frozenset[type] = SUPPORTED,
        on_error: OnError = log_error,
    ) -> None:
        self._forward = forward
        self._parse_audio = parse
        self._supported = supported
        self._on_error = on_error
        self._steps: dict[type, list[Step[Any]]] = {}

    def add_step(self, kind: type[E], step: Step[E]) -> None:
        """Run `step` on every event of type `kind`, after the steps already there."""
        self._steps.setdefault(kind, []).append(step)

    async def run(self, incoming: AsyncIterable[Incoming]) -> LinkClosed | None:
        """Process until the link closes (returns why) or the stream ends (None)."""
        async for item in incoming:
            if isinstance(item, LinkClosed):
                return item
            await self.process(item)
        return None

    async def process(self, item: ServerMessage | AudioFrame | Fault) -> None:
        """One item through all five stages."""
        if isinstance(item, Fault):
            self._on_error(ProtocolError(item.code, item.message, message_id=item.message_id), item)
            return
        try:
            event = self._parse_audio(item) if isinstance(item, AudioFrame) else item
            processed = await self._processed(event) if type(event) in self._supported else None
        # The client's guard: applications add steps of their own, and none of them may stop the conversation.
        except Exception as error:  # noqa: BLE001
            self._on_error(error, item)
            return
        if processed is not None:
            self._forward(processed)

    async def _processed(self, event: Event) -> Event | None:
        current: Event | None = event
        for step in self._steps.get(type(event), ()):
            if current is None:
                return None
            current = cast("Event | None", await step(current))
        return current
