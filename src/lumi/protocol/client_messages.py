"""What a client says; `mcp` and `goodbye` go both ways.

Field names are the wire's.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from lumi.protocol.parameters import (
    PROTOCOL_VERSION,
    AudioParams,
    ChatId,
    Count,
    DeviceInfo,
    Features,
    Message,
    ResumeRequest,
    SessionId,
    Timestamp,
)


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
    voice: str | None = None
    """A wish: one of the names that the speech engine has for its voices."""


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


class Chat(Message, frozen=True, tag="chat", omit_defaults=False):
    """A typed turn; answered by one `response` with the same id, however often it is sent.

    With `speak` the answer is spoken too. The same id with other content is a `bad_message`.
    """

    id: ChatId
    content: str
    session_id: SessionId = UNSET
    device_id: str | UnsetType | None = UNSET
    timestamp: Timestamp | UnsetType | None = UNSET
    speak: bool | UnsetType = UNSET


class Listen(Message, frozen=True, tag="listen"):
    """The microphone: opens, closes, or (`detect` with `text`) was given words.

    `auto`: the server finds the end of speech. `manual`: the client's `stop` does. `realtime`: the microphone stays
    open while the server speaks. Without a mode the last one holds, at first `auto`. `note`: a recording, sent as
    fast as the line allows.
    """

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
    """Ends the turn at once, with its one `tts` `stop`; while only listening, what was heard is dropped."""

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
    """Asks for a `pong` with the same `id` and `timestamp`."""

    id: str | None = None
    timestamp: Timestamp | None = None
    session_id: str | None = None


class Ack(Message, frozen=True, tag="ack", omit_defaults=False):
    """All events up to `seq` have arrived."""

    seq: Count
    session_id: SessionId = UNSET
