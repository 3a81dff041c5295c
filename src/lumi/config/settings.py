"""Every setting, its default, its bounds and what it is for. `docs/configuration.md` is made from this.

Sizes end in `_bytes` or `_mb`, durations in `_s`, `_ms` or `_hours`. Nothing here reads a file or the environment.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

LogLevel = Literal["trace", "debug", "info", "warning", "error"]


def _split(value: object) -> object:
    """The environment has no lists: `a, b` stands for one."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Texts = Annotated[tuple[str, ...], BeforeValidator(_split)]
Options = Annotated[
    dict[str, Any], Field(description="What this engine in particular takes, see its own page.")
]


class Section(BaseModel):
    """One table of the file. Frozen; an unknown key is an error; what is written in it is never printed whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ServerSettings(Section):
    """Where the server listens, and whom it lets in."""

    host: str = Field(
        default="127.0.0.1", min_length=1, description="Address to listen on. Only this machine by default."
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    data_dir: Path | None = Field(
        default=None,
        description="Directory for timers, answers and logs. By default the system's place for them.",
    )
    token: SecretStr | None = Field(
        default=None,
        min_length=8,
        description="Whoever connects must show it. Required when `host` is not this machine alone.",
    )
    open: bool = Field(default=False, description="Let in anyone who reaches the address, without a token.")
    origins: Texts = Field(
        default=(), description="Web pages of other addresses that may connect, e.g. `https://home.example`."
    )
    drain_s: float = Field(
        default=5.0, ge=0, le=600, description="How long clients have to hang up when the server stops."
    )


class AudioSettings(Section):
    """Sound on its way in and out."""

    threads: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Threads that decode, detect speech and encode, for all sessions together.",
    )
    complexity: int = Field(default=5, ge=0, le=10, description="Effort of the Opus encoder: 0 is cheapest.")
    lead_ms: int = Field(
        default=120,
        ge=20,
        le=1000,
        description="How far ahead of real time speech is sent. Small boards choke on more.",
    )
    tick_ms: int = Field(default=20, ge=5, le=60, description="Step of the clock that paces all sessions.")
    cache_mb: int = Field(
        default=32, ge=0, le=4096, description="Memory for sentences already encoded, to be sent again."
    )


class VadSettings(Section):
    """Voice activity detection."""

    engine: str = Field(default="silero", min_length=1, description="Engine that tells speech from noise.")
    threshold: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="Speech probability from which a piece of sound counts as speech.",
    )
    options: Options = Field(default_factory=dict)


class SttSettings(Section):
    """Speech to text."""

    engine: str = Field(default="pocketsphinx", min_length=1, description="Engine that recognises speech.")
    timeout_s: float = Field(
        default=15.0, gt=0, le=300, description="After the end of speech, how long to wait for its words."
    )
    options: Options = Field(default_factory=dict)


class LlmSettings(Section):
    """What answers."""

    engine: str = Field(default="skills", min_length=1, description="Engine that answers.")
    timeout_s: float = Field(
        default=30.0, gt=0, le=600, description="How long to wait for the next piece of an answer."
    )
    prompt: str = Field(default="", description="How the assistant should be; for engines that read it.")
    options: Options = Field(default_factory=dict)


class TtsSettings(Section):
    """Text to speech."""

    engine: str = Field(default="espeak", min_length=1, description="Engine that speaks.")
    voice: str = Field(default="", description="Voice; by default one that fits the text's language.")
    speed: float = Field(default=1.0, ge=0.5, le=2.0, description="1.0 is the voice's own pace.")
    timeout_s: float = Field(
        default=15.0, gt=0, le=300, description="How long to wait for the next piece of speech."
    )
    options: Options = Field(default_factory=dict)


class TurnSettings(Section):
    """One turn of a conversation."""

    silence_ms: int = Field(
        default=700,
        ge=100,
        le=5000,
        description="Silence that ends an utterance in the modes `auto` and `realtime`.",
    )
    min_speech_ms: int = Field(default=96, ge=0, le=2000, description="Shorter sounds are no utterance.")
    max_speech_s: float = Field(default=60.0, ge=1, le=600, description="Longer utterances are cut here.")
    margin_ms: int = Field(
        default=400,
        ge=0,
        le=5000,
        description="Time left to the loudspeaker after the last packet, before `tts stop`.",
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
    locale: str = Field(
        default="en_US",
        pattern=r"^[a-z]{2,3}(_[A-Z][A-Za-z]+)*$",
        description="How dates and numbers are said.",
    )
    timezone: str = Field(
        default="", description="IANA name, e.g. `Asia/Shanghai`; by default the machine's."
    )


class Config(Section):
    """All settings. `lumi.config.load()` makes one."""

    server: ServerSettings = ServerSettings()
    audio: AudioSettings = AudioSettings()
    vad: VadSettings = VadSettings()
    stt: SttSettings = SttSettings()
    llm: LlmSettings = LlmSettings()
    tts: TtsSettings = TtsSettings()
    turn: TurnSettings = TurnSettings()
    limits: LimitSettings = LimitSettings()
    store: StoreSettings = StoreSettings()
    log: LogSettings = LogSettings()
    locale: LocaleSettings = LocaleSettings()

    @property
    def data_dir(self) -> Path:
        """Where everything that lasts is kept; may not exist yet."""
        return (self.server.data_dir or user_data_path("lumi", appauthor=False)).expanduser().absolute()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host` (a name or an address)."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")
