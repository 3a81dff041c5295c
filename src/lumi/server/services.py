"""What every session is handed: engines, shared machinery, clocks and settings. Built once, by `app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lumi.audio.downlink import Downlink
from lumi.audio.format import AudioFormat
from lumi.audio.media_pool import MediaPool
from lumi.audio.pacer import Pacer
from lumi.audio.packet_cache import PacketCache
from lumi.engines.base import Llm, Stt, Tts, Voice
from lumi.protocol.dialect import Dialect
from lumi.protocol.messages import Message
from lumi.server.answers import AnswerDesk
from lumi.server.event_log import EventLog
from lumi.server.outbox import Outbox, Send
from lumi.store.base import Store
from lumi.voice.endpointing import EndpointingSettings
from lumi.voice.interruption import InterruptionSettings
from lumi.voice.mouth import Mouth
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
    firmware_gap_ms: int = 40
    """Between `tts start` and the first packet, for firmware: it resets its decoder there. Others need none."""
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

    def voice(self, send: Send, form: AudioFormat, dialect: Dialect) -> SessionVoice:
        """A voice for one session, and its way out."""
        settings = self.settings
        downlink = self.pool.open_downlink(form)
        outbox = Outbox(
            send,
            self.pacer,
            frame_ms=form.frame_ms,
            lead_ms=settings.lead_ms,
            gap_ms=settings.firmware_gap_ms if dialect is Dialect.XIAOZHI else 0,
            margin_ms=settings.margin_ms,
        )
        timeout_s = settings.turn.tts_timeout_s
        return SessionVoice(
            downlink, outbox, Mouth(self.tts, downlink, self.cache, form, settings.voice, timeout_s=timeout_s)
        )

    def event_log(
        self, session_id: str, owner: str, send: Callable[[Message], None], *, kept: bool
    ) -> EventLog:
        return EventLog(session_id, owner, self.store, send, self.wall_clock, kept=kept)


@dataclass(frozen=True, slots=True)
class SessionVoice:
    """What one session speaks with, in one format."""

    downlink: Downlink
    outbox: Outbox
    mouth: Mouth

    def close(self) -> None:
        self.outbox.close()
        self.downlink.close()
