"""Where the server listens, whom it lets in, what it keeps and what it bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from lumi.config.sections import LocaleName, LogLevel, Secrets, Section, Texts


class ServerSettings(Section):
    """Where the server listens, and whom it lets in."""

    host: str = Field(
        default="127.0.0.1", min_length=1, description="Address to listen on. Only this machine by default."
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    tls: Literal["off", "files", "local"] = Field(
        default="off",
        description="A second port that speaks TLS: `files` with the certificate below, `local` with one of an authority "
        "that is made in the data directory. `lumi serve --lan` means `local` unless this is set.",
    )
    tls_cert: Path | None = Field(
        default=None, description="Certificate for `files`, in PEM form, with those between it and its root."
    )
    tls_key: Path | None = Field(
        default=None, description="The certificate's private key, in PEM form, without a passphrase."
    )
    tls_port: int = Field(
        default=8443, ge=0, le=65535, description="Port that speaks TLS; 0 takes any free one."
    )
    data_dir: Path | None = Field(
        default=None,
        description="Directory for timers, answers and logs. By default the system's place for them.",
    )
    token: SecretStr | None = Field(
        default=None,
        min_length=8,
        description="Whoever connects must show it. When `host` is not this machine alone, this or another lock "
        "(`tokens`, `pairing`, `allow`) is required.",
    )
    tokens: Secrets = Field(default=(), description="Further tokens, any of which lets in.")
    pairing: bool = Field(
        default=False,
        description="Let unknown devices ask to be let in: they show a code, and wait until somebody confirms it. Who "
        "is on this machine itself need show nothing then, unless there is a token.",
    )
    announce: bool = Field(
        default=False, description="Tell the local network that a server is here, so that clients find it."
    )
    allow: Texts = Field(
        default=(),
        description="Devices let in by their id alone. An id is no secret: for networks whose every user you trust.",
    )
    open: bool = Field(default=False, description="Let in anyone who reaches the address, without a token.")
    origins: Texts = Field(
        default=(), description="Web pages of other addresses that may connect, e.g. `https://home.example`."
    )
    drain_s: float = Field(
        default=5.0, ge=0, le=600, description="How long clients have to hang up when the server stops."
    )


class LimitSettings(Section):
    """Bounds that protect the server."""

    sessions: int = Field(
        default=10_000, ge=1, description="Sessions at once; one more is told to come back later."
    )
    text_bytes: int = Field(default=65_536, ge=1024, description="Longest text frame.")
    binary_bytes: int = Field(default=4096, ge=1024, description="Longest binary frame.")
    chat_chars: int = Field(default=8000, ge=1, description="Longest `chat`.")
    waiting_chats: int = Field(
        default=32, ge=1, le=1024, description="Chats of one session that may wait for their answer."
    )
    outgoing_frames: int = Field(
        default=1024,
        ge=64,
        description="Frames that may wait for a client that reads slowly; beyond, it is cut off.",
    )
    hello_s: float = Field(
        default=10.0, gt=0, le=300, description="A client that has not said hello by then is cut off."
    )
    idle_s: float = Field(
        default=600.0, gt=0, description="A client that sends nothing for so long is cut off."
    )
    address_connections: int = Field(
        default=256,
        ge=1,
        description="Connections at once from one address (an IPv6 /64 is one); one more is told to come back later. "
        "This machine is exempt.",
    )
    device_sessions: int = Field(
        default=16, ge=1, description="Sessions of one device at once; one more is told to come back later."
    )
    engine_minutes_per_hour: float = Field(
        default=60.0,
        ge=0,
        description="How long the engines (recogniser, model, voice) may work for one device in an hour; beyond, it is told "
        "to come back later. 0: as long as they like.",
    )
    messages_per_s: float = Field(
        default=200.0,
        gt=0,
        description="Messages that one connection may send; for a moment ten times as many. Beyond, each is refused.",
    )
    audio_kib_per_s: float = Field(
        default=128.0,
        gt=0,
        description="Sound that one connection may send; for a moment twenty times as much. Beyond, it is dropped.",
    )
    flood_s: float = Field(
        default=10.0,
        gt=0,
        description="Who goes on for so long beyond what a connection may send is cut off.",
    )
    resume_s: float = Field(
        default=600.0,
        ge=0,
        description="How long a client whose connection broke finds its session again, if it asked for that.",
    )


class StoreSettings(Section):
    """What outlives a connection."""

    engine: Literal["sqlite", "memory"] = Field(
        default="sqlite", description="`memory` forgets everything when the server stops."
    )
    answers_hours: float = Field(
        default=24.0, gt=0, description="How long an answer is kept for a client that asks again."
    )


class LogSettings(Section):
    """What is written down. Never sound, never secrets; a user's words only at `debug` and below."""

    level: LogLevel = Field(default="info", description="Least important thing shown on the console.")
    file: bool = Field(
        default=True, description="Also write `logs/lumi.log`, one JSON object a line, in the data directory."
    )
    file_level: LogLevel = Field(default="info", description="Least important thing written to the file.")
    file_mb: int = Field(default=10, ge=1, le=1024, description="Size at which a new file is begun.")
    files: int = Field(default=5, ge=0, le=100, description="Old files that are kept.")


class LocaleSettings(Section):
    """For devices that do not say where they are."""

    language: Literal["zh", "en"] = Field(
        default="en", description="Language to begin with; later the user's words decide."
    )
    locale: LocaleName = Field(default="en_US", description="How dates and numbers are said.")
    timezone: str = Field(
        default="", description="IANA name, e.g. `Asia/Shanghai`; by default the machine's."
    )
