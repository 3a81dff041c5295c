"""What a peer may send, and how much nonsense it may send before the connection ends."""

from __future__ import annotations

from dataclasses import dataclass

from lumi.errors import ProtocolError
from lumi.protocol.codec import MAX_CONTENT_CHARS, error_message
from lumi.protocol.messages import CloseCode, ErrorCode, Fault


@dataclass(frozen=True, slots=True)
class Limits:
    """What a peer may send.

    Args:
        text_bytes: of one text frame; beyond, close 1009.
        binary_bytes: of one binary frame with its header; beyond, close 1009.
        content_chars: of a `chat` or a `detect`; beyond, `too_large`.
        faults_in_a_row: this many frames without sense, one after the other, end the connection.
    """

    text_bytes: int = 64 * 1024
    binary_bytes: int = 4 * 1024
    content_chars: int = MAX_CONTENT_CHARS
    faults_in_a_row: int = 20


class FaultCounter:
    """Turns errors into faults and counts them; anything that makes sense is forgiveness.

    Args:
        limit: this many in a row and the fault has a `fatal_close`.
        replies: whether the peer is told (a server tells; a client has nobody to tell).
    """

    __slots__ = ("_in_a_row", "_limit", "_replies")

    def __init__(self, limit: int, *, replies: bool) -> None:
        self._limit = limit
        self._replies = replies
        self._in_a_row = 0

    def forgive(self) -> None:
        self._in_a_row = 0

    def fault(self, error: ProtocolError, *, session_id: str | None, fatal_close: int | None = None) -> Fault:
        """Count one more.

        Args:
            error: what made no sense.
            session_id: None before hello.
            fatal_close: the close code if this one alone ends the connection.
        """
        self._in_a_row += 1
        problem = str(error)
        if fatal_close is None and self._in_a_row >= self._limit:
            fatal_close = CloseCode.TRY_LATER
            problem = f"{problem} (frame {self._in_a_row} in a row without sense: the connection ends)"
        named = ProtocolError(error.code, problem, message_id=error.message_id)
        reply = error_message(named, session_id=session_id) if self._replies else None
        return Fault(ErrorCode(error.code), problem, error.message_id, reply, fatal_close)
