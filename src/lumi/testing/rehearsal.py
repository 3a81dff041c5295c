"""A whole server in memory: real protocol, sessions, turns, Opus and pacing; scripted engines; the test's own clock.

async with Rehearsal(llm=ScriptedLlm({"hello": "Hi."})) as rehearsal, rehearsal.device() as device:
    await device.hello()
    assert (await device.chat("hello"))["content"] == "Hi."
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from lumi.audio.format import AudioFormat
from lumi.audio.media_pool import MediaPool
from lumi.audio.opus import OpusEncoder
from lumi.audio.pacer import Pacer
from lumi.audio.packet_cache import PacketCache
from lumi.engines.base import Duplex, Llm, Stt, Tts, Vad
from lumi.protocol.handshake import Agreement
from lumi.protocol.messages import ClientHello
from lumi.server.answers import AnswerDesk
from lumi.server.device_overrides import OverridesOf, nothing
from lumi.server.gateway import Gateway, GatewaySettings
from lumi.server.generations import Generation, Generations
from lumi.server.kit import Kit, SessionSettings
from lumi.server.metered import Metering
from lumi.server.metrics import Metrics
from lumi.server.recorder import Recorder
from lumi.server.services import Services, Vision
from lumi.server.session import Session
from lumi.server.session_manager import SessionManager
from lumi.server.tooling import Tooling
from lumi.server.turn_history import TurnHistory
from lumi.store.base import Store
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.testing.device import FakeDevice
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad
from lumi.testing.sounds import silence, tone
from lumi.transport.base import LinkInfo
from lumi.transport.memory import MemoryLink, memory_link_pair


@dataclass(slots=True)
class Rehearsal:
    """Used as `async with`; every part may be replaced."""

    stt: Stt = field(default_factory=ScriptedStt)
    llm: Llm = field(default_factory=ScriptedLlm)
    tts: Tts = field(default_factory=ScriptedTts)
    duplex: Duplex | None = None
    vad: Vad = field(default_factory=ScriptedVad)
    store: Store = field(default_factory=MemoryStore)
    settings: SessionSettings = field(default_factory=SessionSettings)
    overrides_of: OverridesOf = nothing
    """What is different for single devices."""
    gateway_settings: GatewaySettings = field(default_factory=GatewaySettings)
    tooling: Tooling | None = None
    cache_bytes: int = 1_000_000
    max_sessions: int = 1000
    max_of_device: int = 1000
    wall_clock: Callable[[], float] = field(default_factory=WallClock)
    """One clock for several rehearsals with one store; by default each has its own."""
    turns: TurnHistory | None = None
    recorder: Recorder | None = None
    """Writes sessions down; whoever gives one runs it."""
    vision: Vision = lambda _device_id, _base_url: None
    metering: Metering = field(default_factory=Metering)
    unsaid: Callable[[str], None] = lambda _notice_id: None
    present: list[str] = field(default_factory=list)
    """Devices that came in, as often as they did."""
    on_present: Callable[[str], None] = lambda _device_id: None
    """Told of each of them, too."""
    services: Services = field(init=False)
    sessions: SessionManager = field(init=False)
    gateway: Gateway = field(init=False)
    generations: Generations = field(init=False)
    cache: PacketCache = field(init=False)
    answers: AnswerDesk = field(init=False)
    _tasks: asyncio.TaskGroup = field(init=False, repr=False)
    _stack: AsyncExitStack = field(init=False, repr=False)

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        pool = await self._stack.enter_async_context(MediaPool(self.vad, workers=1))
        pacer = await self._stack.enter_async_context(Pacer())
        wall_clock = self.wall_clock
        self.cache = PacketCache(self.cache_bytes)
        self.answers = AnswerDesk(self.store.answers, wall_clock)
        kit = Kit(self.stt, self.llm, self.tts, self.settings, duplex=self.duplex, tooling=self.tooling)
        self.generations = Generations(Generation.of(kit, self.overrides_of))
        self.services = Services(
            generations=self.generations,
            pool=pool,
            pacer=pacer,
            cache=self.cache,
            store=self.store,
            answers=self.answers,
            wall_clock=wall_clock,
            vision=self.vision,
            metering=self.metering,
            unsaid=self.unsaid,
            turns=self.turns,
        )
        self.sessions = await self._stack.enter_async_context(
            SessionManager(
                self._session,
                self.store,
                wall_clock,
                max_sessions=self.max_sessions,
                max_of_device=self.max_of_device,
            )
        )
        self.gateway = Gateway(
            self.sessions, Metrics(), self.gateway_settings, wall_clock=wall_clock, recorder=self.recorder
        )
        self._tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        return self

    def _session(self, session_id: str, device_id: str, agreement: Agreement, hello: ClientHello) -> Session:
        return Session(session_id, device_id, agreement, hello, self.services, self._came_in)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError):  # perhaps a group's own doing: it must see it
            await self._stack.__aexit__(kind, error, trace)
        else:  # a test's own error stays itself instead of becoming a group
            await self._stack.aclose()

    @asynccontextmanager
    async def device(self, info: LinkInfo | None = None, **options: Any) -> AsyncIterator[FakeDevice]:
        """A device that has connected; `options` go to `FakeDevice`."""
        async with FakeDevice(self.link(info), **options) as device:
            yield device

    def _came_in(self, device_id: str) -> None:
        self.present.append(device_id)
        self.on_present(device_id)

    def link(self, info: LinkInfo | None = None) -> MemoryLink:
        """A client's end of a new link, served from now on. The rehearsal ends when all of them have."""
        client, server = memory_link_pair(info or LinkInfo())
        self._tasks.create_task(self.gateway.serve(server), name="served link")
        return client


def packets_of(pcm: bytes, audio: AudioFormat | None = None) -> list[bytes]:
    """PCM as the Opus packets that a device would send; the last one is filled up with silence."""
    audio = audio or AudioFormat()
    encoder = OpusEncoder(audio)
    padded = pcm + bytes(-len(pcm) % audio.frame_bytes)
    return [
        encoder.encode(padded[start : start + audio.frame_bytes])
        for start in range(0, len(padded), audio.frame_bytes)
    ]


def spoken(ms: float, *, then_silent_ms: float = 0.0) -> list[bytes]:
    """Packets that a `ScriptedVad` takes for speech, and then for silence."""
    return packets_of(tone(ms) + silence(then_silent_ms))
