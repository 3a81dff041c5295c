"""What every session is handed: engines, shared machinery, clocks and settings. Built once, by `app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lumi.audio.media_pool import MediaPool
from lumi.audio.pacer import Pacer
from lumi.audio.packet_cache import PacketCache
from lumi.engines.base import Llm, Stt, Tts, Voice
from lumi.server.answers import AnswerDesk
from lumi.store.base import Store
from lumi.voice.endpointing import EndpointingSettings
from lumi.voice.interruption import InterruptionSettings
from lumi.voice.turn import TurnSettings


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
    lead_ms: int = 120
    """How far ahead of real time speech is sent."""
    gap_ms: int = 60
    """Between `tts start` and the first packet: firmware resets its decoder there."""
    margin_ms: int = 400
    """Between the end of playing and `tts stop`."""
    waiting_chats: int = 32
    waiting_notices: int = 16


@dataclass(frozen=True, slots=True)
class Services:
    stt: Stt
    llm: Llm
    tts: Tts
    pool: MediaPool
    pacer: Pacer
    cache: PacketCache
    store: Store
    answers: AnswerDesk
    wall_clock: Callable[[], float]
    settings: SessionSettings = field(default_factory=SessionSettings)
