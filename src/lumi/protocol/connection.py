"""One end of a connection with no network: received text and bytes go in, messages and audio come out, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from msgspec import UNSET
from msgspec.structs import replace

from lumi.errors import HandshakeError, LocalProtocolError, NotConnected, ProtocolError
from lumi.protocol.codec import decode_client, decode_server, encode
from lumi.protocol.dialect import ASKING_TYPES, CLIENT_RULES, Vocabulary, vocabulary
from lumi.protocol.faults import FaultCounter, Limits, out_of_turn, too_large, utf8_size
from lumi.protocol.fields import tag_of
from lumi.protocol.frames import pack, unpack
from lumi.protocol.handshake import Agreement, check_answer, client_agreement
from lumi.protocol.messages import (
    AudioFrame,
    ClientHello,
    ClientMessage,
    Error,
    ErrorCode,
    Fault,
    Message,
    ServerHello,
    ServerMessage,
)
from lumi.protocol.roles import OWN_TYPES, Role, event_of
from lumi.protocol.state import Event, State, advance, allows

__all__ = ["Connection", "Limits", "Received", "Role", "State"]

Received = ClientMessage | ServerMessage | AudioFrame | Fault


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
        self._vocabulary: Vocabulary | None = None

    def receive(self, data: str | bytes) -> list[Received]:
        """Take one frame from the peer; never raises. What makes no sense is a `Fault`, and changes nothing else.

        A client's `ServerHello` without a session comes through, but the connection stays `greeted`:
        `check_answer` says what is wrong with it.
        """
        if self.state is State.CLOSED:
            return []
        try:
            received = self._take(self._decode(data)) if isinstance(data, str) else self._unpack(data)
        except ProtocolError as error:
            return [self._faults.fault(error, session_id=self.session_id)]
        self._faults.forgive()
        return [received]

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
        self._learn(agreement, ClientHello)
        return encode(answer)

    def send(self, message: Message | AudioFrame) -> str | bytes | None:
        """The frame for one message or packet; None if this peer did not ask for such a thing.

        The session's id is filled in where it is missing, and what the peer's features do not announce left out.

        Raises:
            LocalProtocolError: out of turn (anything but an error before the hello answer), or not this role's.
            NotConnected: after `closed`.
        """
        if self.state is State.CLOSED:
            raise NotConnected("the connection is closed")
        if isinstance(message, AudioFrame):
            if self.agreement is None:
                raise LocalProtocolError(f"audio is not possible while {self.state}")
            return pack(self.agreement.framing, message)
        kind = type(message)
        if kind not in OWN_TYPES[self.role]:
            raise LocalProtocolError(f"a {self.role} does not send `{tag_of(kind)}`")
        event = event_of(kind)
        if self.role is Role.SERVER:
            return self._send_server(message, event)
        return self._send_client(message, event)

    def closed(self) -> None:
        """The link is gone: nothing more is received or sent."""
        self.state = advance(self.state, Event.CLOSE)

    def _unpack(self, data: bytes) -> Received:
        if len(data) > self._limits.binary_bytes:
            raise too_large("binary", len(data), self._limits.binary_bytes)
        if self.agreement is None:
            raise out_of_turn("audio", self.state, None)
        frame = unpack(self.agreement.framing, data)
        return self._take(self._decode(frame)) if isinstance(frame, str) else frame

    def _decode(self, text: str) -> Any:
        limits = self._limits
        size = utf8_size(text, limits.text_bytes)
        if size > limits.text_bytes:
            raise too_large("text", size, limits.text_bytes)
        if self.role is Role.SERVER:
            return decode_client(text, max_content_chars=limits.content_chars)
        return decode_server(text)

    def _take(self, message: Any) -> Received:
        """Let a well-formed message move the connection on."""
        kind = type(message)
        event = event_of(kind)
        if not allows(self.state, event):
            raise out_of_turn(tag_of(kind), self.state, getattr(message, "id", None) or None)
        if event is Event.ANSWER:
            self._settle(message)
        else:
            self.state = advance(self.state, event)
        if kind is ClientHello:
            self.hello = message
        elif kind in ASKING_TYPES and self.agreement is not None:
            self._learn(self.agreement, kind)
        return cast("Received", message)

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
        self.agreement = client_agreement(
            hello, result, headers=self.headers, query=self.query, previous=self.agreement
        )

    def _learn(self, agreement: Agreement, kind: type[Message]) -> None:
        """Work out anew what this client gets: it has sent a hello, or something by which it asks for a type."""
        asked = self._vocabulary.asked if self._vocabulary else frozenset()
        if kind in ASKING_TYPES:
            asked |= {kind}
        extra = self._extra | agreement.client.extra
        self._vocabulary = vocabulary(agreement.dialect, agreement.features, asked, extra)

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
            changes["timestamp"] = int(self._wall_clock() * 1000)
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
