"""What a peer may send, and how much nonsense it may send before the connection ends."""

from __future__ import annotations

from dataclasses import dataclass

from lumi.errors import ProtocolError
from lumi.protocol.codec import MAX_CONTENT_CHARS, error_message
from lumi.protocol.messages import CloseCode, ErrorCode, Fault
from lumi.protocol.state import State

_UTF8_MAX_BYTES = 4


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


def utf8_size(text: str, limit: int) -> int:
    """Bytes of `text` as UTF-8; where it cannot exceed `limit`, its characters will do, which are free to count."""
    size = len(text)
    if size * _UTF8_MAX_BYTES <= limit or text.isascii():
        return size
    return len(text.encode("utf-8", "surrogatepass"))


def too_large(kind: str, size_bytes: int, limit_bytes: int) -> ProtocolError:
    """A frame (`text`, `binary`) beyond its limit: the one error that ends a connection by itself."""
    problem = f"a {kind} frame of {size_bytes} bytes; accepted: at most {limit_bytes} bytes"
    return ProtocolError(ErrorCode.TOO_LARGE, problem, fatal=True)


def out_of_turn(what: str, state: State, message_id: str | None) -> ProtocolError:
    """Something well-formed that is not possible in this state."""
    ending = state is State.ENDING
    mend = "nothing new after goodbye" if ending else "send hello first and await its answer"
    problem = f"{what} is out of turn while the connection is {state}; {mend}"
    return ProtocolError(ErrorCode.NOT_READY, problem, message_id=message_id)


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

    def fault(self, error: ProtocolError, *, session_id: str | None) -> Fault:
        """Count one more.

        Args:
            error: what made no sense; a `fatal` one ends the connection by itself.
            session_id: None before hello.
        """
        self._in_a_row += 1
        problem = str(error)
        fatal_close = CloseCode.TOO_LARGE if error.fatal else None
        if fatal_close is None and self._in_a_row >= self._limit:
            fatal_close = CloseCode.TRY_LATER
            problem = f"{problem} (frame {self._in_a_row} in a row without sense: the connection ends)"
        named = ProtocolError(error.code, problem, message_id=error.message_id)
        reply = error_message(named, session_id=session_id) if self._replies else None
        return Fault(ErrorCode(error.code), problem, error.message_id, reply, fatal_close)
