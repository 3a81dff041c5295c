"""One server, built from `Config`: for `serve`, for tests, and for use within a program.

The port is bound first and hellos are answered from then on; engines load beside that, all at once, and `/healthz`
says 503 until they have.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from lumi._version import __version__
from lumi.audio.media_pool import MediaPool
from lumi.audio.pacer import Pacer
from lumi.audio.packet_cache import PacketCache
from lumi.config import Config
from lumi.engines.base import Duplex, Llm, Stt, Tts, Vad
from lumi.errors import LumiError
from lumi.server import assembly
from lumi.server.answers import AnswerDesk
from lumi.server.api_console import Sights
from lumi.server.background import Background
from lumi.server.bells import Bells
from lumi.server.device_overrides import DeviceOverrides
from lumi.server.engine_health import EngineHealth
from lumi.server.engine_room import EngineRoom, Furnished
from lumi.server.front_door import FrontDoor, announced, open_front_door, registered
from lumi.server.gateway import Gateway
from lumi.server.gauges import show
from lumi.server.generations import Generations
from lumi.server.http_api import HttpApi
from lumi.server.log import Subject, install, logger
from lumi.server.metrics import Metrics
from lumi.server.observation import Observation
from lumi.server.port import authority, listening
from lumi.server.recorder import Recorder
from lumi.server.registry import DeviceRegistry, Waiting
from lumi.server.reloading import changed, kept, waiting
from lumi.server.retention import sweep
from lumi.server.secret_file import TOKEN_SECRET, SecretFile
from lumi.server.services import Services
from lumi.server.session_manager import SessionManager
from lumi.server.tls import Tls, open_tls
from lumi.server.tool_room import ToolRoom
from lumi.server.wyoming_service import wyoming_offered
from lumi.store.base import Store


class Server:
    """One server, from entering to leaving: `async with Server(config) as server`.

    Whatever is given beside the settings is used in place of what they name, and not closed at the end.

    Args:
        config: the settings; port 0 takes a free one.
        vad, stt, llm, tts, duplex: engines.
        store: a store.
        wall_clock: UNIX seconds.
        on_waiting: told of every device that asks to be let in.

    Attributes:
        port: where it listens.
        tls: the second port, if there is one.
        gateway: `gateway.serve(link)` serves a link that came by another way.
        ready: done when all engines have loaded, or with the error of the one that cannot.
    """

    gateway: Gateway
    sessions: SessionManager
    recorder: Recorder
    tls: Tls
    ready: asyncio.Future[None]

    def __init__(
        self,
        config: Config,
        *,
        vad: Vad | None = None,
        stt: Stt | None = None,
        llm: Llm | None = None,
        tts: Tts | None = None,
        duplex: Duplex | None = None,
        store: Store | None = None,
        wall_clock: Callable[[], float] = time.time,
        on_waiting: Waiting = lambda _device, _code: None,
    ) -> None:
        install()
        self.config = config
        self.metrics = Metrics()
        self._engine_health = EngineHealth(self.metrics, lambda: self._room.rosters)
        self.port = config.server.port
        self._given: dict[str, Any] = {"vad": vad, "stt": stt, "llm": llm, "tts": tts, "duplex": duplex}
        self._store = store
        self._wall_clock = wall_clock
        self.observation = Observation(wall_clock)
        self.tls = Tls(config, self.metrics, None)
        self._stack = AsyncExitStack()
        self._unheard: tuple[str, ...] = ()
        self._draining = False
        self._on_waiting = on_waiting

    @property
    def url(self) -> str:
        """For a WebSocket client."""
        return f"ws://{authority(self.config.server.host, self.port)}/"

    @property
    def page_url(self) -> str:
        """For a browser."""
        return f"http://{authority(self.config.server.host, self.port)}/"

    @property
    def health(self) -> str:
        """Empty when ready, else what is waited for, or what went wrong."""
        if self._draining:
            return "draining"
        if not self.ready.done():
            return "starting"
        error = self.ready.exception()
        return str(error) if error else self._engine_health.broken

    @property
    def stand_ins(self) -> tuple[str, ...]:
        """Which engines do not work, why, and who takes their place."""
        return self._engine_health.replaced

    @property
    def unheard_languages(self) -> tuple[str, ...]:
        """Languages that Lumi speaks and reads, but that its recogniser does not know by ear."""
        return self._unheard

    async def wait_ready(self) -> None:
        """Return when all engines have loaded.

        Raises:
            EngineUnavailable: one cannot; the message says what to install or set.
        """
        await asyncio.shield(self.ready)

    async def reload(self, config: Config) -> tuple[str, ...]:
        """Go by other settings from the next turn on; what has begun ends as it began.

        Returns:
            Names of changed settings that need a restart; they stay as they were.

        Raises:
            ConfigError, EngineUnavailable: an engine cannot be had; nothing has changed.
        """
        await self.wait_ready()
        clients = assembly.clients(config)
        furnished = self._room.furnish(config)
        try:
            await furnished.load()
        except BaseException:
            await furnished.generation.aclose()
            raise
        self._generations.renew(furnished.generation)
        self.gateway.renew(clients)
        self._unheard = assembly.unheard(furnished.engines.stt)
        names = changed(self.config, config)
        self.config = kept(self.config, config)
        return waiting(names)

    async def __aenter__(self) -> Self:
        self.ready = asyncio.get_running_loop().create_future()
        self.tls = open_tls(self.config, self.metrics, self._wall_clock)
        async with AsyncExitStack() as stack:
            await self._build(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell clients why, let them go, and give everything back in the reverse order of its making."""
        self._draining = True
        await self._stack.__aexit__(kind, error, trace)

    async def _build(self, stack: AsyncExitStack) -> None:
        config = self.config
        store = self._store
        if store is None:
            store = await assembly.open_store(config)
            stack.push_async_callback(store.aclose)
        await self._open_registry(store)
        bells = Bells(store, self._wall_clock, self._push)
        stack.push_async_callback(bells.settle)
        furnished = await self._furnish(stack, store, bells)
        services = await self._services(stack, furnished.engines.vad, store, bells)
        await self._open_doors(stack, services, bells)
        await stack.enter_async_context(wyoming_offered(config, services))
        tasks = await stack.enter_async_context(Background())
        tasks.start("warm up", self._warm_up(furnished))
        tasks.start("timers", bells.run())
        self._keep_house(tasks, store)
        stack.push_async_callback(self._drain)

    async def _services(self, stack: AsyncExitStack, vad: Vad, store: Store, bells: Bells) -> Services:
        config = self.config
        pacer = await stack.enter_async_context(Pacer(tick_s=config.audio.tick_ms / 1000))
        pool = await stack.enter_async_context(
            MediaPool(vad, workers=config.audio.threads, complexity=config.audio.complexity)
        )
        return Services(
            generations=self._generations,
            pool=pool,
            pacer=pacer,
            cache=PacketCache(config.audio.cache_mb * 1024 * 1024),
            store=store,
            answers=AnswerDesk(store.answers, self._wall_clock),
            wall_clock=self._wall_clock,
            metering=assembly.metering(config, self.metrics),
            vision=assembly.vision_passes(config, self.registry, self._wall_clock).access,
            turns=self.observation.turns,
            unsaid=bells.unsaid,
        )

    async def _furnish(self, stack: AsyncExitStack, store: Store, bells: Bells) -> Furnished:
        """The first generation: engines that are not loaded yet, and tools."""
        count = self.metrics.tool_called
        tools = await stack.enter_async_context(ToolRoom(bells, store, self._wall_clock, count))
        self._room = EngineRoom(self._given, bells.skills, self._overrides, self._engine_health.tell, tools)
        furnished = self._room.furnish(self.config)
        self._generations = Generations(furnished.generation)
        stack.push_async_callback(self._generations.aclose)
        self._unheard = assembly.unheard(furnished.engines.stt)
        return furnished

    def _keep_house(self, tasks: Background, store: Store) -> None:
        """What has to be looked at now and then."""
        tasks.start("generations", self._generations.run())
        tasks.start("probe engines", self._engine_health.probe())
        tasks.start("idle sweep", self.gateway.sweep())
        tasks.start("session sweep", self.sessions.sweep())
        tasks.start("retention", sweep(store, lambda: self.config, self._wall_clock))
        tasks.start("devices", self.registry.run())
        tasks.start("observation", self.observation.run())
        tasks.start("recorder", self.recorder.run())
        tasks.start("certificate", self.tls.run())
        if self.config.server.announce:
            tasks.start("announce", announced(self.config, self.port, self.tls.port))

    async def _open_registry(self, store: Store) -> None:
        secret = SecretFile(self.config.data_dir / TOKEN_SECRET)
        self.registry = DeviceRegistry(store, self._wall_clock, secret, self._on_waiting)
        await self.registry.load()

    async def _open_doors(self, stack: AsyncExitStack, services: Services, bells: Bells) -> None:
        """Sessions, the gateway before them, and the port."""
        config = self.config
        self.sessions = await stack.enter_async_context(
            assembly.session_manager(config, services, bells.present)
        )
        self.recorder = assembly.recorder(config, services, __version__)
        door = open_front_door(config, self.registry, services, self.metrics, self.tls)
        self.gateway = Gateway(
            self.sessions,
            self.metrics,
            assembly.gateway_settings(config, __version__),
            wall_clock=self._wall_clock,
            reception=await stack.enter_async_context(door.reception),
            recorder=self.recorder,
            audit=door.audit,
        )
        show(self.metrics, services, self.sessions, self.gateway)
        self.observation.watch(services, self.sessions, self.gateway)
        await self._open_port(stack, door, bells)

    async def _open_port(self, stack: AsyncExitStack, door: FrontDoor, bells: Bells) -> None:
        config, engines = self.config, self._engine_health.report
        seen = (self.observation, self.sessions, self.recorder)
        sights = Sights(*seen, lambda: self.config, lambda: self.health, engines)
        api = HttpApi(
            self.gateway,
            door.doorkeeper,
            self.metrics,
            lambda: self.health,
            __version__,
            max_frame_bytes=config.limits.text_bytes,
            audit=door.audit,
            routes=door.routes(
                self.sessions, lambda: authority(config.server.host, self.port), bells.timers, sights
            ),
            engines=engines,
        )
        self.port = await stack.enter_async_context(
            listening(api.application(), config.server, config.limits.hello_s, self.tls.serving, door.watch)
        )

    async def _warm_up(self, furnished: Furnished) -> None:
        """Load all engines at once. One that cannot load makes the server unfit, and says so in its health."""
        log = logger(Subject.ENGINE)
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.TaskGroup() as loading:
                for kind, start in assembly.starters(furnished.engines).items():
                    loading.create_task(start(), name=f"load {kind}")
        except* LumiError as group:
            error = group.exceptions[0]
            log.error("engine not available", error=str(error))  # noqa: TRY400 - the line says it all
            self.ready.set_exception(error)
            self.ready.exception()  # whoever waits for it is told; nobody has to
        else:
            furnished.loaded()
            log.info("engines ready", seconds=round(asyncio.get_running_loop().time() - began, 3))
            self.ready.set_result(None)

    def _overrides(self, device_id: str) -> DeviceOverrides:
        """What a device's registration says."""
        return registered(self.registry, device_id)

    async def _push(self, device_id: str, text: str, *, kind: str, notice_id: str, due_at: float) -> bool:
        return await self.sessions.push(device_id, text, kind=kind, notice_id=notice_id, due_at=due_at)

    async def _drain(self) -> None:
        self._draining = True
        await self.gateway.drain(self.config.server.drain_s)
