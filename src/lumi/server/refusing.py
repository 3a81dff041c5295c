"""What a client is told when its message has no effect, and whether the link ends with it."""

from __future__ import annotations

import math

from lumi.errors import Overloaded, ProtocolError, RateLimited
from lumi.protocol.codec import message_id
from lumi.protocol.messages import CloseCode, ErrorCode, Fault
from lumi.server.audit import AuditLog, Reason
from lumi.server.line import Line
from lumi.server.log import Subject, logger

log = logger(Subject.WEBSOCKET)

NO_SESSION: dict[str, int] = {
    ErrorCode.OVERLOADED: CloseCode.TRY_LATER,
    ErrorCode.RATE_LIMITED: CloseCode.TRY_LATER,
    ErrorCode.INTERNAL: CloseCode.INTERNAL,
    ErrorCode.UNAUTHORIZED: CloseCode.UNAUTHORIZED,
}
"""Why there may be no session for a hello, and how the link is closed then."""


def refuse(line: Line, event: object, error: ProtocolError, retry_after_s: float | None = None) -> None:
    """Tell the client; without a session there is nothing it could do but come back later."""
    if error.message_id is None:
        error.message_id = getattr(event, "id", None)
    line.send_error(error, retry_after_s=retry_after_s)
    if line.session is None and error.code in NO_SESSION:
        line.hang_up(NO_SESSION[error.code], error.code)
    elif error.fatal:
        line.hang_up(CloseCode.DONE, error.code)


def put_off(line: Line, event: object, error: Overloaded, audit: AuditLog) -> None:
    """Not now: the client is told when to try again."""
    reason = Reason.RATE_LIMITED if isinstance(error, RateLimited) else Reason.OVERLOADED
    refuse(line, event, ProtocolError(ErrorCode(reason), str(error)), error.retry_after_s)
    if line.session is None:
        audit.refused(reason, line.link.info, line.device_id)


def too_much(line: Line, frame: str | bytes, wait_s: float, audit: AuditLog) -> None:
    """More than one connection may send: sound is dropped, a message is put off by its id and not looked at any further.

    Dropped sound is not worth a word until the link ends with it.
    """
    retry_s = math.ceil(wait_s * 10.0) / 10.0
    if isinstance(frame, str):
        problem = f"too many messages; send this again in {retry_s:.1f} s"
        error = ProtocolError(ErrorCode.RATE_LIMITED, problem, message_id=message_id(frame))
        line.send_error(error, retry_after_s=retry_s)
    elif line.flooding:
        problem = "too much sound for too long; send it as it is heard, in real time"
        line.send_error(ProtocolError(ErrorCode.RATE_LIMITED, problem), retry_after_s=retry_s)
    if line.flooding:
        audit.refused(Reason.FLOOD, line.link.info, line.device_id)
        line.hang_up(CloseCode.TRY_LATER, "too much was sent for too long")


def made_no_sense(line: Line, fault: Fault) -> None:
    """The frame made no sense: say so, and hang up where the connection cannot go on."""
    line.fine()
    say = log.debug if line.faulty else log.info  # once is enough for whoever reads the log
    say("fault", remote=line.link.info.remote, code=str(fault.code), problem=fault.message)
    line.faulty = True
    if fault.reply is not None:
        line.send(fault.reply)
    if fault.fatal_close is not None:
        line.hang_up(fault.fatal_close, fault.message)
