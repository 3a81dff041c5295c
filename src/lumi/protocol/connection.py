"""One end of a connection with no network: received text and bytes go in, messages and audio come out, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from lumi.errors import HandshakeError, LocalProtocolError, NotConnected, ProtocolError
from lumi.protocol.codec import decode_client, decode_server, encode
from lumi.protocol.dialect import ASKING_TYPES, CLIENT_RULES, Vocabulary, vocabulary
from lumi.protocol.faults import FaultCounter, Limits
from lumi.protocol.frames import Framing, pack, unpack
from lumi.protocol.handshake import Agreement, check_answer, client_agreement
from lumi.protocol.messages import (
    AudioFrame,
    ClientHello,
    ClientMessage,
    CloseCode,
    Error,
    ErrorCode,
    Fault,
    Goodbye,
    Message,
    ServerHello,
    ServerMessage,
)
from lumi.protocol.state import Event, State, advance, allows

__all__ = ["Connection", "Limits", "Received", "Role", "State"]

Received = ClientMessage | ServerMessage | AudioFrame | Fault

_EVENTS: dict[type[Message], Event] = {
    ClientHello: Event.HELLO,
    ServerHello: Event.ANSWER,
    Error: Event.ERROR,
    Goodbye: Event.GOODBYE,
}
_UTF8_MAX_BYTES = 4
_MS = 1000


class Role(StrEnum):
    CLIENT = "client"
    SERVER = "server"


class Connection:
    """The protocol of one connection, from one end.

    A server hands every `ClientHello` that `receive` gives it to `negotiate` and `answer`, and the result to `accept`;
    a client begins with `send(ClientHello(…))` and is ready when `state` says so.

    Args:
        role: which end this is.
        limits: of what the peer may send.
        headers: of the upgrade request (a client: those it sent).
        query: of the URL, likewise.
        extra: server: types this client gets for what it is, beside its dialect's (firmware: `Alert`, `System`).
        wall_clock: seconds since the epoch, for the timestamp of errors.
    """

    __slots__ = (
        "_asked",
        "_extra",
        "_faults",
        "_limits",
        "_vocabulary",
        "_wall_clock",
        "agreement",
        "headers",
        "hello",
        "query",
        "role",
        "session_id",
        "state",
    )

    def __init__(
        self,
        role: Role,
        *,
        limits: Limits | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        extra: frozenset[type[Message]] = frozenset(),
        wall_clock: Callable[[], float] | None = None,
    ) -> None:
        self.role = role
        self.state = State.OPENING
        self.agreement: Agreement | None = None
        self.session_id: str | None = None
        self.hello: ClientHello | None = None
        self.headers = {name.lower(): value for name, value in (headers or {}).items()}
        self.query = query or {}
        self._limits = limits or Limits()
        self._faults = FaultCounter(self._limits.faults_in_a_row, replies=role is Role.SERVER)
        self._extra = extra
        self._wall_clock = wall_clock
        self._asked: frozenset[type[Message]] = frozenset()
        self._vocabulary: Vocabulary | None = None

    def receive(self, data: str | bytes) -> list[Received]:
        """Take one frame from the peer; never raises. What makes no sense is a `Fault`, and changes nothing else.

        A client's `ServerHello` without a session comes through, but the connection stays `greeted`:
        `check_answer` says what is wrong with it.
        """
        if isinstance(data, str):
            return self._receive_text(data)
        if len(data) > self._limits.binary_bytes:
            return self._too_large("binary", len(data), self._limits.binary_bytes)
        agreement = self.agreement
        if agreement is None or self.state is State.CLOSED:
            return self._out_of_turn("audio", None)
        try:
            frame = unpack(agreement.framing, data)
        except ProtocolError as error:
            return self._fault(error)
        if isinstance(frame, str):
            return self._receive_text(frame)
        self._faults.forgive()
        return [frame]

    def accept(self, hello: ClientHello, answer: ServerHello, agreement: Agreement) -> str:
        """Server: answer a hello; the connection is ready. Returns the text frame to send.

        Raises:
            LocalProtocolError: nobody said hello, or the answer has not its id.
        """
        if self.role is not Role.SERVER:
            raise LocalProtocolError("a client does not answer hellos")
        if (answer.id or None) != (hello.id or None):
            raise LocalProtocolError(f"the answer to hello {hello.id!r} has the id {answer.id!r}")
        self.state = advance(self.state, Event.ANSWER)
        self.agreement = agreement
        self.session_id = answer.session_id
        self._learn(frozenset())
        return encode(answer)

    def send(self, message: Message | AudioFrame) -> str | bytes | None:
        """The frame for one message or packet; None if this peer did not ask for such a thing.

        The session's id is filled in where it is missing, and what the peer's features do not announce left out.

        Raises:
            LocalProtocolError: out of turn (anything but an error before the hello answer), or not this role's.
            NotConnected: after `closed`.
        """
        if isinstance(message, AudioFrame):
            return pack(self._framing(), message)
        if self.state is State.CLOSED:
            raise NotConnected("the connection is closed")
        event = _EVENTS.get(type(message), Event.MESSAGE)
        if self.role is Role.SERVER:
            return self._send_server(message, event)
        return self._send_client(message, event)

    def closed(self) -> None:
        """The link is gone: nothing more is received or sent."""
        self.state = advance(self.state, Event.CLOSE)

    # ── receiving ────────────────────────────────────────────────────────────────────────────────────────────────

    def _receive_text(self, text: str) -> list[Received]:
        limits = self._limits
        size = len(text)
        if size * _UTF8_MAX_BYTES > limits.text_bytes:
            size = size if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
            if size > limits.text_bytes:
                return self._too_large("text", size, limits.text_bytes)
        try:
            if self.role is Role.SERVER:
                message: Any = decode_client(text, max_content_chars=limits.content_chars)
            else:
                message = decode_server(text)
            return self._take(message)
        except ProtocolError as error:
            return self._fault(error) if self.state is not State.CLOSED else []

    def _take(self, message: Any) -> list[Received]:
        """Let a well-formed message move the connection on."""
        kind = type(message)
        event = _EVENTS.get(kind, Event.MESSAGE)
        if not allows(self.state, event):
            return self._out_of_turn(message.__struct_config__.tag, getattr(message, "id", None) or None)
        if event is Event.ANSWER:
            self._settle(message)
        else:
            self.state = advance(self.state, event)
        if kind is ClientHello:
            self.hello = message
        elif kind in ASKING_TYPES and kind not in self._asked:
            self._learn(frozenset({kind}))
        self._faults.forgive()
        return [message]

    def _settle(self, answer: ServerHello) -> None:
        """Client: go by the server's hello, if it can be gone by."""
        hello = self.hello or ClientHello()
        if answer.id is not UNSET and answer.id != hello.id:
            problem = f"hello.id is {answer.id!r}; accepted: that of the hello it answers, {hello.id!r}"
            raise ProtocolError(ErrorCode.BAD_MESSAGE, problem, message_id=answer.id)
        try:
            result = check_answer(hello, answer)
        except HandshakeError:
            return
        self.state = advance(self.state, Event.ANSWER)
        self.session_id = result.session_id
        self.agreement = client_agreement(hello, result, headers=self.headers, query=self.query)

    def _learn(self, asked: frozenset[type[Message]]) -> None:
        """Work out anew what this client gets, after a hello or a message by which it asks for a type."""
        self._asked |= asked
        if self.agreement is not None:
            agreement = self.agreement
            self._vocabulary = vocabulary(agreement.dialect, agreement.features, self._asked, self._extra)

    # ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _fault(self, error: ProtocolError, fatal_close: int | None = None) -> list[Received]:
        return [self._faults.fault(error, session_id=self.session_id, fatal_close=fatal_close)]

    def _too_large(self, kind: str, size: int, limit: int) -> list[Received]:
        problem = f"a {kind} frame of {size} bytes; accepted: at most {limit} bytes"
        return self._fault(ProtocolError(ErrorCode.TOO_LARGE, problem), CloseCode.TOO_LARGE)

    def _out_of_turn(self, what: str, message_id: str | None) -> list[Received]:
        if self.state is State.CLOSED:
            return []
        mend = (
            "nothing new after goodbye"
            if self.state is State.ENDING
            else "send hello first and await its answer"
        )
        problem = f"{what} is out of turn while the connection is {self.state}; {mend}"
        return self._fault(ProtocolError(ErrorCode.NOT_READY, problem, message_id=message_id))

    # ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _framing(self) -> Framing:
        if self.state is State.CLOSED:
            raise NotConnected("the connection is closed")
        if self.agreement is None:
            raise LocalProtocolError(f"audio is not possible while {self.state}")
        return self.agreement.framing

    def _send_server(self, message: Message, event: Event) -> str | None:
        if event is Event.ANSWER:
            raise LocalProtocolError("a hello is answered with `accept`")
        after = advance(self.state, event)
        if self._vocabulary is None:
            changes: dict[str, Any] = {}
        elif (fitted := self._vocabulary.fit(message)) is not None:
            changes = fitted
        else:
            return None
        if isinstance(message, Error) and message.timestamp is None and self._wall_clock is not None:
            changes["timestamp"] = int(self._wall_clock() * _MS)
        self.state = after
        return self._encoded(message, changes)

    def _send_client(self, message: Message, event: Event) -> str | None:
        after = advance(self.state, event)
        if isinstance(message, ClientHello):
            self.hello = message
            self.state = after
            return encode(message)
        feature = CLIENT_RULES.get(type(message))
        if (
            feature is not None
            and self.agreement is not None
            and not getattr(self.agreement.features, feature)
        ):
            return None
        self.state = after
        return self._encoded(message, {})

    def _encoded(self, message: Any, changes: dict[str, Any]) -> str:
        if self.session_id is not None and not message.session_id:
            changes["session_id"] = self.session_id
        return encode(replace(message, **changes) if changes else message)
