"""What messages are made of: their base, ids, times, and the nested objects of hello."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, UnsetType

PROTOCOL_VERSION = 1
CAPABILITIES = ("chat", "voice", "tts", "stt")

Timestamp = str | int | float
"""ISO-8601 UTC text, or a number of milliseconds."""

ChatId = Annotated[str, Meta(min_length=1, max_length=128)]
"""Answers are stored under it, so it is neither empty nor endless."""

Count = Annotated[int, Meta(ge=0, le=2**53)]
"""What is counted; beyond 2**53 a browser could not count on."""

SessionId = str | UnsetType | None
"""What a message says of its session is not believed (some clients send an empty text): the connection knows."""


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
    cards: bool = False


class ServerInfo(Struct, frozen=True, kw_only=True):
    version: str | None = "unknown"
    capabilities: tuple[str, ...] | None = ()


class ResumeRequest(Struct, frozen=True, kw_only=True):
    session_id: str
    received: Count = 0
    """The last `seq` the client has."""


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of all messages; `type` on the wire is the subclass's tag."""
