"""Every message of the wire, once: decoding, validation, encoding and the reference come from these Structs.

Field names are the wire's. A field that may be missing has a default; a default is left out when encoding
(`omit_defaults`), unless the class says otherwise. Unknown fields are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field
from msgspec.structs import force_setattr

from lumi.protocol.codes import EMOTIONS, ERROR_NUMBERS, FATAL_CLOSE_CODES, RETRYABLE, CloseCode, ErrorCode
from lumi.protocol.parameters import (
    CAPABILITIES,
    PROTOCOL_VERSION,
    AudioParams,
    ChatId,
    Count,
    DeviceInfo,
    Features,
    ResumeRequest,
    ServerInfo,
    SessionId,
    Timestamp,
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
    "Timestamp",
    "Tts",
    "TtsState",
]


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of all messages; `type` on the wire is the subclass's tag."""


# ── both ways, in two shapes ─────────────────────────────────────────────────────────────────────────────────────────


class ClientHello(Message, frozen=True, tag="hello"):
    """Opens a connection. A first hello with an `id` speaks the lumi dialect, one without the xiaozhi dialect."""

    id: str | None = None
    # Factories, since a default that is a plain value would be left out of the JSON.
    version: int = field(default_factory=lambda: PROTOCOL_VERSION)
    transport: str = field(default_factory=lambda: "websocket")
    device_id: str | None = None
    device_info: DeviceInfo | None = None
    audio_params: AudioParams | None = None
    features: Features | None = None
    resume: ResumeRequest | None = None
    device_mac: str | None = None
    device_name: str | None = None
    token: str | None = None


class ServerHello(Message, frozen=True, tag="hello", omit_defaults=False):
    """Answers a hello; the first frame of all on a connection."""

    id: str | UnsetType = UNSET
    session_id: str | None = None
    version: int = PROTOCOL_VERSION
    transport: str = "websocket"
    server_info: ServerInfo | None = None
    audio_params: AudioParams | None = None
    device_id: str | UnsetType = UNSET
    features: Features | UnsetType = UNSET
    resumed: bool | UnsetType = UNSET


class Mcp(Message, frozen=True, tag="mcp", omit_defaults=False):
    """Carries JSON-RPC 2.0: the server is the MCP client, the device has the tools."""

    payload: dict[str, Any]
    session_id: SessionId = UNSET


class Goodbye(Message, frozen=True, tag="goodbye"):
    """Announces an orderly end."""

    session_id: str | None = None
    reason: str | None = None
    retry_after: float | None = None
    url: str | None = None


# ── client to server ─────────────────────────────────────────────────────────────────────────────────────────────────


class Chat(Message, frozen=True, tag="chat", omit_defaults=False):
    """A typed turn; answered by one `response` with the same id, however often it is sent."""

    id: ChatId
    content: str
    session_id: SessionId = UNSET
    device_id: str | UnsetType | None = UNSET
    timestamp: Timestamp | UnsetType | None = UNSET
    speak: bool | UnsetType = UNSET


class Listen(Message, frozen=True, tag="listen"):
    """The microphone: opens, closes, or (`detect` with `text`) was given words."""

    state: Literal["start", "stop", "detect"]
    mode: Literal["auto", "manual", "realtime"] | None = None
    text: str | None = None
    id: str | None = None
    source: str | None = None
    audio_params: AudioParams | None = None
    note: bool = False
    session_id: str | None = None
    device_id: str | None = None
    timestamp: Timestamp | None = None


class Abort(Message, frozen=True, tag="abort"):
    """Ends the turn at once."""

    reason: str | None = None
    id: str | None = None
    session_id: str | None = None
    device_id: str | None = None


class Played(Message, frozen=True, tag="played", omit_defaults=False):
    """What the listener has really heard of a turn, in milliseconds of speech."""

    turn_id: str
    ms: Annotated[float, Meta(ge=0)]
    final: bool = False
    session_id: SessionId = UNSET


class ClientIot(Message, frozen=True, tag="iot"):
    """Legacy device tools: what the device can do, and how it stands."""

    descriptors: list[dict[str, Any]] | None = None
    states: list[dict[str, Any]] | None = None
    update: bool = False
    session_id: str | None = None


class Ping(Message, frozen=True, tag="ping"):
    id: str | None = None
    timestamp: Timestamp | None = None
    session_id: str | None = None


class Ack(Message, frozen=True, tag="ack", omit_defaults=False):
    """All events up to `seq` have arrived."""

    seq: Count
    session_id: SessionId = UNSET


# ── server to client ─────────────────────────────────────────────────────────────────────────────────────────────────


class Response(Message, frozen=True, tag="response", omit_defaults=False):
    """The answer to a chat. With `stream`, deltas (`is_final` false) come first and the whole text last."""

    id: str | None
    content: str = ""
    session_id: str | None = None
    timestamp: Timestamp | None = None
    request_id: str | UnsetType | None = UNSET
    is_final: bool = True
    delta: str | UnsetType = UNSET
    seq: int | UnsetType = UNSET
    turn_id: str | UnsetType = UNSET


class Stt(Message, frozen=True, tag="stt", omit_defaults=False):
    """What was heard. `confidence` is a float on the wire also when it is whole (1.0), since typed clients insist."""

    text: str
    confidence: float = 1.0
    is_final: bool = True
    session_id: str | None = None
    id: str | UnsetType = UNSET
    seq: int | UnsetType = UNSET
    turn_id: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        if type(self.confidence) is not float or not isfinite(self.confidence):
            number = float(self.confidence)
            force_setattr(self, "confidence", number if isfinite(number) else 0.0)


class LlmEmotion(Message, frozen=True, tag="llm", omit_defaults=False):
    """How the answer is meant; `text` is the emotion's emoji."""

    emotion: str = "neutral"
    text: str = EMOTIONS["neutral"]
    session_id: str | None = None
    turn_id: str | UnsetType = UNSET


class TtsState(StrEnum):
    START = "start"
    SENTENCE_START = "sentence_start"
    SENTENCE_END = "sentence_end"
    STOP = "stop"


class Tts(Message, frozen=True, tag="tts", omit_defaults=False):
    """The frame of a spoken turn: start, sentences, and exactly one stop."""

    state: TtsState
    text: str | UnsetType = UNSET
    session_id: str | None = None
    turn_id: str | UnsetType = UNSET


class Notify(Message, frozen=True, tag="notify", omit_defaults=False):
    """A timer, a reminder or a push; speech follows."""

    id: str
    kind: Literal["timer", "reminder", "push"]
    text: str
    due_at: Timestamp | UnsetType = UNSET
    session_id: str | None = None
    seq: int | UnsetType = UNSET


class ServerIot(Message, frozen=True, tag="iot", omit_defaults=False):
    """Legacy device commands."""

    commands: list[dict[str, Any]]
    session_id: str | None = None


class Alert(Message, frozen=True, tag="alert", omit_defaults=False):
    """Shown by firmware; all three are required there."""

    status: str
    message: str
    emotion: str
    session_id: str | None = None


class System(Message, frozen=True, tag="system", omit_defaults=False):
    command: Literal["reboot"]
    session_id: str | None = None


class Pong(Message, frozen=True, tag="pong", omit_defaults=False):
    timestamp: Timestamp | None = None
    session_id: str | None = None
    id: str | UnsetType = UNSET


class Metrics(Message, frozen=True, tag="metrics", omit_defaults=False):
    """Where a turn's time went, in milliseconds."""

    turn_id: str
    stages: dict[str, float]
    session_id: str | None = None


class Error(Message, frozen=True, tag="error", omit_defaults=False):
    """What was wrong and what is accepted. Clients in the field read `id` or `request_id`, `message` or
    `error_message`: both are always there.
    """

    error_code: str = ErrorCode.INTERNAL.value
    error_message: str = ""
    code: int = 0
    message: str = ""
    id: str | None = None
    request_id: str | None = None
    session_id: SessionId = UNSET
    timestamp: Timestamp | None = None
    retryable: bool = False
    retry_after: float | UnsetType = UNSET


ClientMessage = ClientHello | Chat | Listen | Abort | Played | Mcp | ClientIot | Goodbye | Ping | Ack
ServerMessage = (
    ServerHello
    | Response
    | Stt
    | LlmEmotion
    | Tts
    | Notify
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
