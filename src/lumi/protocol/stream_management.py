"""Nothing lost, nothing twice: the counting of events, at both ends, after XEP-0198.

What must not be lost carries `seq`, which grows by one within a session. The server keeps each such event until the
client has acknowledged it, and says those again that the client has not seen when it comes back. Pure bookkeeping:
whoever owns the session owns the counter.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

from lumi.errors import ProtocolError
from lumi.protocol.messages import ErrorCode, Message, Notify, Response, Stt

EventT = TypeVar("EventT")

MAX_UNACKNOWLEDGED = 1_000
ACK_WITHIN_S = 1.0
"""A client acknowledges an event within this time."""


def must_not_be_lost(message: Message) -> bool:
    """Whether a message carries `seq`: a final response, a final transcript, a notification. Nothing else does."""
    if isinstance(message, Response | Stt):
        return message.is_final
    return isinstance(message, Notify)


class SentEvents(Generic[EventT]):
    """The server's end: numbers events and keeps those not yet acknowledged.

    Args:
        last_seq: the last number given out, when a session is taken up again.
        unacknowledged: the events kept then, oldest first, ending with `last_seq`.
        limit: with more than this many unacknowledged, the oldest are dropped and the session is not resumable.
    """

    def __init__(
        self,
        *,
        last_seq: int = 0,
        unacknowledged: tuple[EventT, ...] = (),
        limit: int = MAX_UNACKNOWLEDGED,
    ) -> None:
        self._last_seq = last_seq
        self._limit = limit
        self._kept = list(unacknowledged)

    def __len__(self) -> int:
        """How many events are unacknowledged."""
        return len(self._kept)

    @property
    def last_seq(self) -> int:
        return self._last_seq

    @property
    def acknowledged(self) -> int:
        """All events up to this number are gone: acknowledged, or dropped as too many."""
        return self._last_seq - len(self._kept)

    @property
    def next_seq(self) -> int:
        """The number the next event will get: an event that carries its own number is made with it."""
        return self._last_seq + 1

    def keep(self, event: EventT) -> int:
        """Keep an event that is about to be sent; returns its `seq`. The oldest goes when there are too many."""
        self._last_seq += 1
        self._kept.append(event)
        if len(self._kept) > self._limit:
            del self._kept[0]
        return self._last_seq

    def acknowledge(self, seq: int) -> int:
        """Let go of all events up to `seq`; returns how many. An old acknowledgement changes nothing.

        Raises:
            ProtocolError: `bad_message`, for a number that was never given out.
        """
        self._check("ack.seq", seq)
        done = max(0, seq - self.acknowledged)
        del self._kept[:done]
        return done

    def can_resume(self, received: int) -> bool:
        """Whether everything after `received` is still there."""
        return self.acknowledged <= received <= self._last_seq

    def after(self, received: int) -> list[tuple[int, EventT]]:
        """Take `received` as an acknowledgement, and give the events after it with their numbers, oldest first.

        Raises:
            ProtocolError: `bad_message`, for a number that was never given out.
        """
        self._check("resume.received", received)
        self.acknowledge(received)
        return list(enumerate(self._kept, start=self.acknowledged + 1))

    def _check(self, name: str, seq: int) -> None:
        if seq > self._last_seq:
            raise ProtocolError(
                ErrorCode.BAD_MESSAGE, f"{name} is {seq}; accepted: at most {self._last_seq}, the last sent"
            )


class Arrival(StrEnum):
    """How an event fits those before it."""

    NEXT = "next"
    REPEATED = "repeated"
    """Seen before: acknowledge it, do not show it."""
    GAP = "gap"
    """Something before it is missing: come back with `resume` to hear it again."""


class ReceivedEvents:
    """The client's end: tells the new from the repeated, and what is to be acknowledged.

    Args:
        received: the last number seen, when a session is taken up again.
    """

    def __init__(self, received: int = 0) -> None:
        self._received = received
        self._acknowledged = received

    @property
    def received(self) -> int:
        """The last event of an unbroken row: what `hello.resume` and `ack` say."""
        return self._received

    @property
    def ack_due(self) -> int | None:
        """The number to acknowledge, if the server has not been told of it."""
        return self._received if self._received > self._acknowledged else None

    def take(self, seq: int) -> Arrival:
        """Count an event in. One after a gap is not counted: it comes again after a resume."""
        if seq <= self._received:
            self._acknowledged = min(self._acknowledged, self._received - 1)
            return Arrival.REPEATED
        if seq > self._received + 1:
            return Arrival.GAP
        self._received = seq
        return Arrival.NEXT

    def acked(self, seq: int) -> None:
        """An `ack` of `seq` went out."""
        self._acknowledged = max(self._acknowledged, min(seq, self._received))
