"""What hears, answers and speaks, and how a turn goes."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr

from lumi.config.sections import Options, Section, Texts

BUILT_IN_VOICE = "espeak"
"""Needs no model, no key and no network."""


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


class Remote(Section):
    """Where an engine that runs elsewhere is found; each engine says which of these it takes."""

    base_url: str = Field(default="", description="Address of the service, for engines that use one.")
    api_key: SecretStr | None = Field(default=None, description="What the service wants to see.")
    model: str = Field(default="", description="Which of the engine's models; by default its own choice.")
    options: Options = Field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, Any]:
        """What the engine is made with: only what was set, so that one without such settings is given none of them."""
        key = self.api_key.get_secret_value() if self.api_key else ""
        given = {"base_url": self.base_url, "api_key": key, "model": self.model}
        return {name: value for name, value in given.items() if value} | self.options


class NamedEngine(Remote):
    """An engine with settings of its own, for the lists `fallback`."""

    engine: str = Field(min_length=1, description="Engine that this is.")


class SttSettings(Remote):
    """Speech to text."""

    engine: str = Field(default="pocketsphinx", min_length=1, description="Engine that recognises speech.")
    timeout_s: float = Field(
        default=15.0, gt=0, le=300, description="After the end of speech, how long to wait for its words."
    )
    fallback: Texts = Field(
        default=(),
        description="Who takes over when it fails, in this order: engines, or names of `[engines.NAME]` tables.",
    )
    slow_s: float = Field(
        default=5.0,
        gt=0,
        le=600,
        description="No words this long after the end of speech, and the next recogniser is asked, if there is one.",
    )


class LlmSettings(Remote):
    """What answers."""

    engine: str = Field(default="skills", min_length=1, description="Engine that answers.")
    timeout_s: float = Field(
        default=30.0, gt=0, le=600, description="How long to wait for the next piece of an answer."
    )
    prompt: str = Field(default="", description="How the assistant should be; for engines that read it.")
    skills_first: bool = Field(
        default=True,
        description="Answer exact commands of the built-in skills (`stop`, `set a timer for five minutes`) at once, "
        "without the engine.",
    )
    fallback: Texts = Field(
        default=(),
        description="Who takes over when it fails, in this order: engines, or names of `[engines.NAME]` tables.",
    )
    slow_s: float = Field(
        default=8.0,
        gt=0,
        le=600,
        description="No next piece of an answer within this time, and the next model is asked, if there is one.",
    )


class TtsSettings(Remote):
    """Text to speech."""

    engine: str = Field(default=BUILT_IN_VOICE, min_length=1, description="Engine that speaks.")
    voice: str = Field(default="", description="Voice; by default one that fits the text's language.")
    speed: float = Field(default=1.0, ge=0.5, le=2.0, description="1.0 is the voice's own pace.")
    timeout_s: float = Field(
        default=15.0, gt=0, le=300, description="How long to wait for the next piece of speech."
    )
    fallback: Texts | None = Field(
        default=None,
        examples=[[BUILT_IN_VOICE]],
        description="Who takes over when it fails, in this order: engines, or names of `[engines.NAME]` tables. By "
        "default the built-in voice, `espeak`; `[]`: nobody.",
    )
    slow_s: float = Field(
        default=5.0,
        gt=0,
        le=600,
        description="No next piece of speech within this time, and the next voice is asked, if there is one.",
    )


def stand_ins(section: SttSettings | LlmSettings | TtsSettings, engine: str) -> tuple[str, ...]:
    """Who takes over from `engine`, in this order. No voice falls silent for good where nobody wished it."""
    if section.fallback is not None:
        return section.fallback
    return () if engine == BUILT_IN_VOICE else (BUILT_IN_VOICE,)


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
