"""Every message of the wire, once: decoding, validation, encoding and the reference come from these Structs.

Field names are the wire's. A field that may be missing has a default; a default is left out when encoding
(`omit_defaults`), unless the class says otherwise. Unknown fields are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

PROTOCOL_VERSION = 1
CAPABILITIES = ("chat", "voice", "tts", "stt")

Timestamp = str | int | float
"""ISO-8601 UTC text, or a number of milliseconds."""


class ErrorCode(StrEnum):
    """Values of `error_code`; `code` is the number beside it."""

    BAD_JSON = "bad_json"
    BAD_MESSAGE = "bad_message"
    UNKNOWN_TYPE = "unknown_type"
    NOT_READY = "not_ready"
    UNAUTHORIZED = "unauthorized"
    UNSUPPORTED_VERSION = "unsupported_version"
    UNSUPPORTED_AUDIO = "unsupported_audio"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    TOO_LARGE = "too_large"
    STT_FAILED = "stt_failed"
    LLM_FAILED = "llm_failed"
    TTS_FAILED = "tts_failed"
    INTERNAL = "internal"


ERROR_NUMBERS: dict[ErrorCode, int] = {
    ErrorCode.BAD_JSON: 4000,
    ErrorCode.BAD_MESSAGE: 4002,
    ErrorCode.UNKNOWN_TYPE: 4003,
    ErrorCode.NOT_READY: 4004,
    ErrorCode.UNAUTHORIZED: 4401,
    ErrorCode.UNSUPPORTED_VERSION: 4005,
    ErrorCode.UNSUPPORTED_AUDIO: 4006,
    ErrorCode.RATE_LIMITED: 4029,
    ErrorCode.OVERLOADED: 5003,
    ErrorCode.TOO_LARGE: 4013,
    ErrorCode.STT_FAILED: 5010,
    ErrorCode.LLM_FAILED: 5011,
    ErrorCode.TTS_FAILED: 5012,
    ErrorCode.INTERNAL: 5000,
}

RETRYABLE = frozenset(
    {
        ErrorCode.RATE_LIMITED,
        ErrorCode.OVERLOADED,
        ErrorCode.STT_FAILED,
        ErrorCode.LLM_FAILED,
        ErrorCode.TTS_FAILED,
        ErrorCode.INTERNAL,
    }
)


class CloseCode:
    """WebSocket close codes that Lumi uses."""

    DONE = 1000
    GOING_AWAY = 1001
    TOO_LARGE = 1009
    INTERNAL = 1011
    TRY_LATER = 1013
    UNAUTHORIZED = 4401
    NO_HELLO = 4408
    REPLACED = 4409


FATAL_CLOSE_CODES = frozenset({CloseCode.UNAUTHORIZED, CloseCode.REPLACED})
"""After these a client does not try again."""

EMOTIONS: dict[str, str] = {
    "neutral": "😶",
    "happy": "🙂",
    "laughing": "😆",
    "funny": "😂",
    "sad": "😔",
    "angry": "😠",
    "crying": "😭",
    "loving": "😍",
    "embarrassed": "😳",
    "surprised": "😲",
    "shocked": "😱",
    "thinking": "🤔",
    "winking": "😉",
    "cool": "😎",
    "relaxed": "😌",
    "delicious": "🤤",
    "kissy": "😘",
    "confident": "😏",
    "sleepy": "😴",
    "silly": "😜",
    "confused": "🙄",
}


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of all messages; `type` on the wire is the subclass's tag."""


class AudioParams(Struct, frozen=True, kw_only=True):
    """`audio_params`: always sent whole."""

    format: str = "opus"
    sample_rate: int = 16_000
    channels: int = 1
    frame_duration: int = 60


class DeviceInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    platform: str | None = None
    model: str | None = None
    os_version: str | None = None
    locale: str | None = None
    timezone: str | None = None


class Features(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a client asks for beyond its dialect; the answer repeats those granted."""

    mcp: bool = False
    aec: bool = False
    resume: bool = False
    stream: bool = False
    partials: bool = False
    emotion: bool = False
    sentence_end: bool = False
    turns: bool = False
    played: bool = False
    notify: bool = False
    metrics: bool = False


class ServerInfo(Struct, frozen=True, kw_only=True):
    version: str = "unknown"
    capabilities: tuple[str, ...] = ()


class ResumeRequest(Struct, frozen=True, kw_only=True):
    session_id: str
    received: int = 0
    """The last `seq` the client has."""


# ── both ways, in two shapes ─────────────────────────────────────────────────────────────────────────────────────────


class ClientHello(Message, tag="hello"):
    """Opens a connection. A first hello with an `id` speaks the lumi dialect, one without the xiaozhi dialect."""

    id: str | None = None
    version: int = PROTOCOL_VERSION
    transport: str = "websocket"
    device_id: str | None = None
    device_info: DeviceInfo | None = None
    audio_params: AudioParams | None = None
    features: Features | None = None
    resume: ResumeRequest | None = None
    device_mac: str | None = None
    device_name: str | None = None
    token: str | None = None


class ServerHello(Message, tag="hello", omit_defaults=False):
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


class Mcp(Message, tag="mcp", omit_defaults=False):
    """Carries JSON-RPC 2.0: the server is the MCP client, the device has the tools."""

    payload: dict[str, Any]
    session_id: str | UnsetType = UNSET


class Goodbye(Message, tag="goodbye"):
    """Announces an orderly end."""

    session_id: str | None = None
    reason: str | None = None
    retry_after: float | None = None
    url: str | None = None


# ── client to server ─────────────────────────────────────────────────────────────────────────────────────────────────


class Chat(Message, tag="chat", omit_defaults=False):
    """A typed turn; answered by one `response` with the same id, however often it is sent."""

    id: str
    content: str
    session_id: str | UnsetType | None = UNSET
    device_id: str | UnsetType | None = UNSET
    timestamp: Timestamp | UnsetType | None = UNSET
    speak: bool | UnsetType = UNSET


class Listen(Message, tag="listen"):
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


class Abort(Message, tag="abort"):
    """Ends the turn at once."""

    reason: str | None = None
    id: str | None = None
    session_id: str | None = None
    device_id: str | None = None


class Played(Message, tag="played", omit_defaults=False):
    """What the listener has really heard of a turn, in milliseconds of speech."""

    turn_id: str
    ms: float
    final: bool = False
    session_id: str | UnsetType = UNSET


class ClientIot(Message, tag="iot"):
    """Legacy device tools: what the device can do, and how it stands."""

    descriptors: list[dict[str, Any]] | None = None
    states: list[dict[str, Any]] | None = None
    update: bool = False
    session_id: str | None = None


class Ping(Message, tag="ping"):
    id: str | None = None
    timestamp: Timestamp | None = None
    session_id: str | None = None


class Ack(Message, tag="ack", omit_defaults=False):
    """All events up to `seq` have arrived."""

    seq: int
    session_id: str | UnsetType = UNSET


# ── server to client ─────────────────────────────────────────────────────────────────────────────────────────────────


class Response(Message, tag="response", omit_defaults=False):
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


class Stt(Message, tag="stt", omit_defaults=False):
    """What was heard. `confidence` is a float on the wire also when it is whole (1.0)."""

    text: str
    confidence: float = 1.0
    is_final: bool = True
    session_id: str | None = None
    id: str | UnsetType = UNSET
    seq: int | UnsetType = UNSET
    turn_id: str | UnsetType = UNSET


class LlmEmotion(Message, tag="llm", omit_defaults=False):
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


class Tts(Message, tag="tts", omit_defaults=False):
    """The frame of a spoken turn: start, sentences, and exactly one stop."""

    state: TtsState
    text: str | UnsetType = UNSET
    session_id: str | None = None
    turn_id: str | UnsetType = UNSET


class Notify(Message, tag="notify", omit_defaults=False):
    """A timer, a reminder or a push; speech follows."""

    id: str
    kind: Literal["timer", "reminder", "push"]
    text: str
    due_at: Timestamp | UnsetType = UNSET
    session_id: str | None = None
    seq: int | UnsetType = UNSET


class ServerIot(Message, tag="iot", omit_defaults=False):
    """Legacy device commands."""

    commands: list[dict[str, Any]]
    session_id: str | None = None


class Alert(Message, tag="alert", omit_defaults=False):
    """Shown by firmware; all three are required there."""

    status: str
    message: str
    emotion: str
    session_id: str | None = None


class System(Message, tag="system", omit_defaults=False):
    command: Literal["reboot"]
    session_id: str | None = None


class Pong(Message, tag="pong", omit_defaults=False):
    timestamp: Timestamp | None = None
    session_id: str | None = None
    id: str | UnsetType = UNSET


class Metrics(Message, tag="metrics", omit_defaults=False):
    """Where a turn's time went, in milliseconds."""

    turn_id: str
    stages: dict[str, float]
    session_id: str | None = None


class Error(Message, tag="error", omit_defaults=False):
    """What was wrong and what is accepted. Clients in the field read `id` or `request_id`, `message` or
    `error_message`: both are always there."""

    error_code: str
    error_message: str
    code: int = 0
    message: str = ""
    id: str | None = None
    request_id: str | None = None
    session_id: str | UnsetType = UNSET
    timestamp: Timestamp | None = None
    retryable: bool = False
    retry_after: float | UnsetType = UNSET


ClientMessage = ClientHello | Chat | Listen | Abort | Played | Mcp | ClientIot | Goodbye | Ping | Ack
ServerMessage = (
    ServerHello | Response | Stt | LlmEmotion | Tts | Notify | Mcp | ServerIot | Alert | System | Goodbye | Pong | Metrics | Error
)

CLIENT_TYPES: tuple[type[Message], ...] = (ClientHello, Chat, Listen, Abort, Played, Mcp, ClientIot, Goodbye, Ping, Ack)
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


@dataclass(frozen=True, slots=True)
class AudioFrame:
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


