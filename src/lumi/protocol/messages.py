"""Every message of the wire, in one place to import from; each is declared once, in the file of who says it.

Decoding, validation, encoding and the reference come from these Structs. Field names are the wire's. A field that may
be missing has a default; `UNSET` is left out when encoding, and so is a default where the class omits defaults.
Unknown fields are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from lumi.protocol.client_messages import (
    Abort,
    Ack,
    Chat,
    ClientHello,
    ClientIot,
    Goodbye,
    Listen,
    Mcp,
    Ping,
    Played,
)
from lumi.protocol.codes import EMOTIONS, ERROR_NUMBERS, FATAL_CLOSE_CODES, RETRYABLE, CloseCode, ErrorCode
from lumi.protocol.parameters import (
    CAPABILITIES,
    PROTOCOL_VERSION,
    AudioParams,
    ChatId,
    Count,
    DeviceInfo,
    Features,
    Message,
    ResumeRequest,
    ServerInfo,
    SessionId,
    Timestamp,
)
from lumi.protocol.server_messages import (
    Alert,
    Cards,
    Error,
    ListCard,
    LlmEmotion,
    Metrics,
    Notify,
    Pong,
    Response,
    ServerHello,
    ServerIot,
    Stt,
    System,
    TimerCard,
    Tts,
    TtsState,
)

__all__ = [
    "CAPABILITIES",
    "CLIENT_TYPES",
    "EMOTIONS",
    "ERROR_NUMBERS",
    "FATAL_CLOSE_CODES",
    "PROTOCOL_VERSION",
    "RETRYABLE",
    "SERVER_TYPES",
    "Abort",
    "Ack",
    "Alert",
    "AudioFrame",
    "AudioParams",
    "Cards",
    "Chat",
    "ChatId",
    "ClientHello",
    "ClientIot",
    "ClientMessage",
    "CloseCode",
    "Count",
    "DeviceInfo",
    "Error",
    "ErrorCode",
    "Fault",
    "Features",
    "Goodbye",
    "ListCard",
    "Listen",
    "LlmEmotion",
    "Mcp",
    "Message",
    "Metrics",
    "Notify",
    "Ping",
    "Played",
    "Pong",
    "Response",
    "ResumeRequest",
    "ServerHello",
    "ServerInfo",
    "ServerIot",
    "ServerMessage",
    "SessionId",
    "Stt",
    "System",
    "TimerCard",
    "Timestamp",
    "Tts",
    "TtsState",
]


ClientMessage = ClientHello | Chat | Listen | Abort | Played | Mcp | ClientIot | Goodbye | Ping | Ack
ServerMessage = (
    ServerHello
    | Response
    | Stt
    | LlmEmotion
    | Tts
    | Notify
    | Cards
    | Mcp
    | ServerIot
    | Alert
    | System
    | Goodbye
    | Pong
    | Metrics
    | Error
)

CLIENT_TYPES: tuple[type[Message], ...] = (
    ClientHello,
    Chat,
    Listen,
    Abort,
    Played,
    Mcp,
    ClientIot,
    Goodbye,
    Ping,
    Ack,
)
SERVER_TYPES: tuple[type[Message], ...] = (
    ServerHello,
    Response,
    Stt,
    LlmEmotion,
    Tts,
    Notify,
    Cards,
    Mcp,
    ServerIot,
    Alert,
    System,
    Goodbye,
    Pong,
    Metrics,
    Error,
)


class AudioFrame(Struct, frozen=True, gc=False):
    """One packet of sound in a binary frame. `timestamp_ms` and `sequence` travel only in framings that have them.

    An empty `payload` says 'end of audio'.
    """

    payload: bytes
    timestamp_ms: int = 0
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """A frame from the peer that made no sense; `reply` is what the sender should be told (server role only).

    `fatal_close` is the close code if the connection cannot go on.
    """

    code: ErrorCode
    message: str
    message_id: str | None = None
    reply: Error | None = None
    fatal_close: int | None = None
