"""What every session is handed: engines, shared machinery, clocks and settings. Built once, by `app`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lumi.audio.downlink import Downlink
from lumi.audio.format import AudioFormat
from lumi.audio.media_pool import MediaPool
from lumi.audio.pacer import Pacer
from lumi.audio.packet_cache import PacketCache
from lumi.engines.base import Tools
from lumi.protocol.handshake import Agreement
from lumi.protocol.mcp import VisionAccess
from lumi.protocol.messages import Message
from lumi.server.answers import AnswerDesk
from lumi.server.cards import CardBoard, CardTable
from lumi.server.event_log import EventLog
from lumi.server.generations import Generations, Lease
from lumi.server.kept_dialogue import KeptDialogue
from lumi.server.kit import Kit, SessionSettings
from lumi.server.metered import Metering
from lumi.server.outbox import Outbox, Send
from lumi.server.tooling import SessionTools
from lumi.server.turn_history import TurnHistory
from lumi.server.voices import chosen
from lumi.store.base import Store
from lumi.voice.dialogue import Dialogue
from lumi.voice.mouth import Mouth

Vision = Callable[[str, str], VisionAccess | None]
"""Where the device of this id may send pictures, on the server it reaches at this URL; None: nowhere."""


@dataclass(frozen=True, slots=True)
class Services:
    """`generations` has what may change while the server runs: a turn takes a `lease` of it when it begins."""

    generations: Generations
    pool: MediaPool
    pacer: Pacer
    cache: PacketCache
    store: Store
    answers: AnswerDesk
    wall_clock: Callable[[], float]
    vision: Vision = lambda _device_id, _base_url: None
    tools: SessionTools | None = None
    """What the model of one session may do; None: nothing."""
    metering: Metering = field(default_factory=Metering)
    unsaid: Callable[[str], None] = lambda _notice_id: None
    """Told of a notice, by its id, that a session has taken and could not say."""
    cards: CardBoard = field(default_factory=CardBoard)
    turns: TurnHistory | None = None
    """Where turns that are over are kept for the operator."""

    def for_session(self, own: Sequence[Tools]) -> Services:
        """The same for one session. `own` are the tools of its device alone."""
        return replace(self, tools=SessionTools(own))

    def settings(self, device_id: str) -> SessionSettings:
        """As they hold for a device now."""
        return self.generations.kit(device_id).settings

    def metered(self, device_id: str) -> Lease:
        """Engines that count their time for a device, or such as refuse where it is spent; no tools, and not a turn."""
        lease = self.generations.lease(device_id)
        lease.kit = self.metering.handed(lease.kit, device_id)
        return lease

    def lease(self, device_id: str) -> Lease:
        """Engines and settings for a turn that begins."""
        lease = self.metered(device_id)
        if self.tools is not None:
            lease.kit = self.tools.handed(lease.kit)
        if self.turns is not None:
            trace = self.turns.trace()
            lease.kit, lease.over = replace(lease.kit, trace=trace), trace.over
        return lease

    def voice(self, send: Send, agreed: Callable[[], Agreement], device_id: str) -> SessionVoice:
        """A voice for one session, and its way out, as it was agreed; a voice wished for may be another one later."""
        settings, form, client = self.settings(device_id), agreed().downlink, agreed().client
        outbox = Outbox(
            send,
            self.pacer,
            frame_ms=form.frame_ms,
            lead_ms=settings.lead_ms if client.lead_ms is None else client.lead_ms,
            gap_ms=client.gap_ms,
            margin_ms=settings.margin_ms if client.margin_ms is None else client.margin_ms,
        )
        return SessionVoice(self.pool.open_downlink(form), outbox, self.cache, form, lambda: agreed().voice)

    def card_table(self, session_id: str, owner: str, send: Callable[[Message], None]) -> CardTable:
        return CardTable(session_id, owner, self.store, send, self.wall_clock, self.cards)

    def kept_dialogue(self, session_id: str, dialogue: Dialogue) -> KeptDialogue:
        return KeptDialogue(session_id, dialogue, self.store.dialogues, self.wall_clock)

    def event_log(
        self, session_id: str, owner: str, send: Callable[[Message], None], *, kept: bool
    ) -> EventLog:
        return EventLog(session_id, owner, self.store, send, self.wall_clock, kept=kept)


@dataclass(frozen=True, slots=True)
class SessionVoice:
    """What one session speaks with, in one format."""

    downlink: Downlink
    outbox: Outbox
    cache: PacketCache
    form: AudioFormat
    wish: Callable[[], str] = str
    """The voice that the client asks for now; empty: none."""

    def mouth(self, kit: Kit) -> Mouth:
        """For one turn."""
        timeout_s = kit.settings.turn.tts_timeout_s
        return Mouth(
            kit.tts,
            self.downlink,
            self.cache,
            self.form,
            chosen(kit, self.wish()),
            timeout_s=timeout_s,
            key=kit.voice_key,
        )

    def close(self) -> None:
        self.outbox.close()
        self.downlink.close()
