"""One link and what belongs to it: the protocol's end, the outgoing queue, the session. Ends with the link."""

from __future__ import annotations

import asyncio

from msgspec import UNSET

from lumi.errors import ProtocolError
from lumi.protocol.codec import error_message
from lumi.protocol.connection import Connection
from lumi.protocol.handshake import Agreement
from lumi.protocol.messages import AudioFrame, ClientHello, Error, Message, Metrics, Response
from lumi.server.auth import Admission
from lumi.server.guest import Guest
from lumi.server.limits import Allowance, Rates
from lumi.server.link_writer import FAREWELL_S, LinkWriter, Outgoing
from lumi.server.log import SECRETS, Subject, logger
from lumi.server.metrics import Metrics as Counters
from lumi.server.recorder import Recorder, Tape
from lumi.server.session_manager import SessionLike
from lumi.transport.base import Link

PILED_UP = 32
"""Frames that may wait for a client before it is heard any further: the writer has had no turn meanwhile."""


class Line:
    """What the gateway holds per link.

    Attributes:
        session: from the first answered hello on.
        admission: the verdict on its request; None: nobody judged it.
        guest: who waits to be let in; its session is the reception's.
        device_id: what its device goes by.
        faulty: it has sent what makes no sense.
        said_goodbye: the client will not come back to its session.
        heard_at: when the client last sent something, in the loop's seconds.
    """

    def __init__(
        self,
        link: Link,
        connection: Connection,
        counters: Counters,
        *,
        max_frames: int,
        rates: Rates | None = None,
        admission: Admission | None = None,
    ) -> None:
        self.link = link
        self.connection = connection
        self.session: SessionLike | None = None
        self.admission = admission
        self.guest: Guest | None = None
        self.device_id = ""
        log = logger(Subject.WEBSOCKET, remote=link.info.remote)
        self._trace = log if log.is_tracing else None
        self.writer = LinkWriter(link, connection.send, max_frames=max_frames)
        self.writer.watch = None if self._trace is None else self._going
        self._tape: Tape | None = None
        self.heard_at = asyncio.get_running_loop().time()
        self._allowance = Allowance(rates or Rates(), self.heard_at)
        self.faulty = False
        self.said_goodbye = False
        self._farewell_at: float | None = None
        self._counters = counters

    @property
    def closing(self) -> bool:
        return self.writer.finishing is not None

    def heard(self, frame: str | bytes) -> float:
        """The client has sent something. Seconds until such a frame would be welcome; 0.0: it is."""
        self.heard_at = asyncio.get_running_loop().time()
        if self._trace is not None:
            self._trace.trace("received", frame=described(frame))
        if self._tape is not None:
            self._tape.came(frame)
        return self._allowance.spend(frame, self.heard_at)

    async def breathe(self) -> None:
        """Let what waits go out before more is read: frames that came all at once are read without a pause."""
        if self.writer.waiting_frames >= PILED_UP:
            await asyncio.sleep(0)

    def fine(self) -> None:
        """What the client has sent made no sense."""
        self._allowance.fine()

    def idle(self, now: float, idle_s: float) -> bool:
        """Whether the client has been silent too long; while it is spoken to, silence is good manners."""
        agreement = self.connection.agreement
        if agreement is not None and agreement.client.idle_s is not None:
            idle_s = agreement.client.idle_s
        speaking = self.session is not None and self.session.speaking
        return not speaking and self.heard_at < now - idle_s

    def takes_leave(self) -> bool:
        """Have goodbye said, once in each silence. False: it has been said, or nobody would hear it."""
        if self.session is None or self._farewell_at == self.heard_at:
            return False
        self._farewell_at = self.heard_at
        return self.session.farewell()

    @property
    def flooding(self) -> bool:
        """The client has gone on and on sending what is not welcome."""
        return self._allowance.is_flood

    def send(self, message: Outgoing) -> None:
        """Queue a message, a packet or a frame already encoded; never waits."""
        kind = type(message)
        if kind is not AudioFrame:
            self._count(message)
        self.writer.put(message)

    def send_error(self, error: ProtocolError, *, retry_after_s: float | None = None) -> None:
        """Tell the client what was wrong; when it happens, the connection says (`timestamp` left out)."""
        session_id = None if self.session is None else self.session.id
        self.send(error_message(error, session_id=session_id, retry_after_s=retry_after_s))

    def hang_up(self, code: int, reason: str, *, within_s: float = FAREWELL_S) -> None:
        """Close after what is queued has gone out."""
        self.writer.finish(code, reason, within_s=within_s)

    def part(self, code: int, reason: str) -> None:
        """As the session asks for it. One bound method per line, so that it also says which line a session is on."""
        self.hang_up(code, reason)

    def record(
        self,
        recorder: Recorder | None,
        session: SessionLike,
        hello: ClientHello,
        agreement: Agreement,
        *,
        resumed: bool,
    ) -> None:
        """From now on have written down what comes and goes, where that is wanted."""
        if recorder is not None:
            self._tape = recorder.begin(session, self.link.info, hello, agreement, resumed=resumed)
        if self._tape is not None:
            self.writer.watch = self._going

    def agreed(self, agreement: Agreement) -> None:
        """A later hello is about to be answered."""
        if self._tape is not None:
            self._tape.agreed(agreement)

    def ended(self, code: int, reason: str) -> None:
        """The link is closed."""
        if self._tape is not None:
            self._tape.closed(code, reason)

    def _going(self, frame: str | bytes) -> None:
        """What goes out, written down."""
        if self._trace is not None:
            self._trace.trace("sent", frame=described(frame))
        if self._tape is not None:
            self._tape.went(frame)

    def _count(self, message: Message | AudioFrame | str) -> None:
        if isinstance(message, Error):
            self._counters.errors.labels(message.error_code).inc()
        elif isinstance(message, Metrics):
            self._counters.turn_ended("spoken", message.stages)
            if self._tape is not None:
                self._tape.turn_ended(message)
        elif isinstance(message, Response) and message.is_final and message.delta is UNSET:
            self._counters.turn_ended("written", {})


def described(frame: str | bytes) -> str:
    """A frame for the log: JSON as it is, but for what may carry a token, written out or in escapes; of sound only its size."""
    if isinstance(frame, bytes):
        return f"{len(frame)} bytes"
    if '"hello"' in frame:
        return f"hello, {len(frame)} characters"
    lowered = frame.lower()
    if "\\u00" in frame or any(word in lowered for word in SECRETS):
        return f"{len(frame)} characters, perhaps a secret among them"
    return frame
