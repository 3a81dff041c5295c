"""What a turn is made with: engines and settings, as they hold for its device when it begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lumi.engines.base import ChatMessage, Duplex, Filler, Llm, Speaker, Stt, Tools, Tts, Voice
from lumi.server.device_overrides import NOTHING, DeviceOverrides
from lumi.server.turn_history import TurnTrace
from lumi.tools.phrases import Phrase, phrase, without_fillers
from lumi.voice.duplex_turn import Realtime
from lumi.voice.endpointing import EndpointingSettings
from lumi.voice.interruption import InterruptionSettings
from lumi.voice.language import language_of
from lumi.voice.mouth import Mouth
from lumi.voice.turn import Emit, Turn, TurnSettings

if TYPE_CHECKING:
    from lumi.server.tooling import Tooling


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How sessions behave. Durations in milliseconds unless the name says otherwise."""

    turn: TurnSettings = field(default_factory=TurnSettings)
    endpoint: EndpointingSettings = field(default_factory=EndpointingSettings)
    interruption: InterruptionSettings = field(default_factory=InterruptionSettings)
    voice: Voice = field(default_factory=Voice)
    persona: str = ""
    language: str = "en"
    locale: str = "en_US"
    timezone: str = "UTC"
    lead_ms: float = 120
    """How far ahead of real time speech is sent, unless the client's profile says otherwise."""
    margin_ms: float = 400
    """Between the end of playing and `tts stop`, likewise."""
    waiting_chats: int = 32
    waiting_notices: int = 16
    vision_timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Kit:
    """Engines and settings for the turns of one device."""

    stt: Stt
    llm: Llm
    tts: Tts
    settings: SessionSettings = field(default_factory=SessionSettings)
    overrides: DeviceOverrides = NOTHING
    voice_key: str = ""
    """Tells apart, in the cache of spoken sentences, voices whose engines have the same name; empty: the engine's name."""
    duplex: Duplex | None = None
    """Does whole spoken turns, where there is one."""
    tooling: Tooling | None = None
    """Tools that all sessions share; None: no model could use any."""
    tools: Tools | None = None
    """What the models of this turn may call."""
    eyes: Llm | None = None
    """Looks at pictures, where that is not the model that answers."""
    trace: TurnTrace | None = None
    """Follows the turn."""

    def turn(
        self,
        turn_id: str,
        *,
        mouth: Mouth | None,
        emit: Emit,
        messages: Callable[[str, str], Sequence[ChatMessage]],
        speaker: Speaker,
    ) -> Turn:
        """A turn made with these. `messages` gives the dialogue below the words on how the assistant should be, to what
        the turn was told.
        """
        if self.trace is not None:
            emit = self.trace.watched(turn_id, speaker, emit, aloud=mouth is not None)
        return Turn(
            turn_id,
            stt=self.stt,
            llm=self.llm,
            mouth=mouth,
            emit=emit,
            history=lambda: without_fillers(messages(self.settings.persona, turn_id)),
            speaker=speaker,
            settings=self.settings.turn,
            realtime=None
            if self.duplex is None
            else Realtime(self.duplex, self.tools, self._filler(speaker)),
        )

    def _filler(self, speaker: Speaker) -> Filler | None:
        """What a model that speaks for itself says when a tool takes long."""
        if self.tooling is None:
            return None
        default = speaker.language
        return Filler(
            self.tooling.loop.filler_s,
            lambda words: phrase(Phrase.ONE_MOMENT, language_of(words, default)).strip(),
        )


def for_device(settings: SessionSettings, overrides: DeviceOverrides) -> SessionSettings:
    """The settings as they hold for a device."""
    said = {
        "persona": overrides.persona,
        "language": overrides.language,
        "locale": overrides.locale,
        "timezone": overrides.timezone,
        "voice": _voice(settings.voice, overrides),
    }
    return replace(settings, **{name: value for name, value in said.items() if value is not None})  # type: ignore[arg-type]


def _voice(voice: Voice, overrides: DeviceOverrides) -> Voice:
    name = voice.name if overrides.voice is None else overrides.voice
    speed = voice.speed if overrides.speed is None else overrides.speed
    return replace(voice, name=name, speed=speed)
