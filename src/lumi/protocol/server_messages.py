"""What a server says; `mcp` and `goodbye`, which go both ways, stand with the client's messages.

Field names are the wire's. `UNSET` is left out.
"""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import force_setattr

from lumi.protocol.codes import EMOTIONS, ErrorCode
from lumi.protocol.parameters import (
    PROTOCOL_VERSION,
    AudioParams,
    Features,
    Message,
    ServerInfo,
    SessionId,
    Timestamp,
)


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
    """The frame of a spoken turn: `start`, each sentence's text before its audio, and exactly one `stop`.

    In order: `stt` (final), `llm`, `tts` `start`, then `sentence_start` and that sentence's packets again and again,
    then `stop` when the last packet has been played, or at once after an `abort`, an error or an empty recognition.
    """

    state: TtsState
    text: str | UnsetType = UNSET
    session_id: str | None = None
    turn_id: str | UnsetType = UNSET


class Notify(Message, frozen=True, tag="notify", omit_defaults=False):
    """A timer, a reminder or a push; speech follows. Who has not asked for it just hears it.

    `code`: six digits by which whoever runs the server lets this device in, to be shown as such; `text` has them, too.
    """

    id: str
    kind: Literal["timer", "reminder", "push"]
    text: str
    due_at: Timestamp | UnsetType = UNSET
    code: str | UnsetType = UNSET
    session_id: str | None = None
    seq: int | UnsetType = UNSET


class TimerCard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    kind: Literal["timer", "reminder"]
    label: str = ""
    due_at: Timestamp
    duration_s: float = 0.0
    """How long it was set for; 0 where a moment was named."""


class ListCard(Struct, frozen=True, kw_only=True):
    name: str
    """`shopping`, `todo`, or as it was called."""
    items: tuple[str, ...]


class Cards(Message, frozen=True, tag="cards", omit_defaults=False):
    """The device's timers that are still to ring, soonest first, and its lists: always all of them.

    After hello, and whenever a turn or a ring has changed them, in another session of the device, too. `sent_at` is the server's clock, by which `due_at`
    counts.
    """

    timers: tuple[TimerCard, ...]
    lists: tuple[ListCard, ...]
    sent_at: Timestamp
    session_id: str | None = None


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
    """A command to a device that runs firmware."""

    command: Literal["reboot"]
    session_id: str | None = None


class Pong(Message, frozen=True, tag="pong", omit_defaults=False):
    """Answers a `ping`."""

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
