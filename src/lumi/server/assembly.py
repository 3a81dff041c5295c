"""From `Config` to the parts of a server: what each room is handed, in its own words. Used by `app` alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lumi.config import Config
from lumi.engines.base import Duplex, Llm, Stt, Tts, Vad, Voice
from lumi.engines.roster import News, silent
from lumi.errors import ConfigError
from lumi.protocol.client_profiles import BUILT_IN, Clients, Sign, adapted, names
from lumi.protocol.connection import Limits
from lumi.server.auth import Doorkeeper, Rules
from lumi.server.engine_lists import EngineLists
from lumi.server.engine_time import EngineTime
from lumi.server.gateway import GatewaySettings
from lumi.server.kit import SessionSettings
from lumi.server.late_vad import LateVad
from lumi.server.limits import KIB, Rates
from lumi.server.metered import Metering
from lumi.server.metrics import Metrics
from lumi.server.model_places import with_model
from lumi.server.origins import Origins
from lumi.server.recorder import Recorder, RecorderSettings
from lumi.server.registry import DeviceRegistry
from lumi.server.secret_file import TOKEN_SECRET, SecretFile
from lumi.server.services import Services
from lumi.server.session import Session
from lumi.server.session_manager import SessionManager
from lumi.server.vision_pass import VisionPasses
from lumi.store.base import Store
from lumi.store.recordings import Recordings
from lumi.voice.endpointing import EndpointingSettings
from lumi.voice.turn import TurnSettings

DATABASE = "lumi.db"
DEVICE_KINDS = ("stt", "llm", "tts")
"""Engines that a device may have of its own."""

MIB = 1024 * 1024
UTC = "UTC"
LANGUAGES = {"zh": "Chinese", "en": "English"}
STOP_FACTOR = 0.7
"""Speech ends below this part of the probability from which it begins."""

STOP_RATIO = 0.7
"""Speech that has begun goes on down to this part of the threshold, so that it does not flutter."""


@dataclass(frozen=True, slots=True)
class Engines:
    """What hears, thinks and speaks, for all sessions; those that the settings name, each before its stand-ins."""

    vad: Vad
    stt: Stt
    llm: Llm
    tts: Tts
    duplex: Duplex | None = None
    eyes: Llm | None = None
    others: Mapping[str, Any] = field(default_factory=dict)
    """What single devices have in place of these, by kind and name: `llm:spare`."""


def data_directory(config: Config) -> Path:
    """The directory for what lasts, made if it is not there.

    Raises:
        ConfigError: it cannot be made or written.
    """
    path = config.data_dir
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        problem = f"{path} cannot be written ({error.strerror}); give a directory of your own, e.g. LUMI_DATA_DIR=~/lumi"
        raise ConfigError("server.data_dir", problem) from error
    return path


def clients(config: Config) -> Clients:
    """The kinds of clients there are: the built-in ones, and what the settings say of them.

    Raises:
        ConfigError: a new one cannot be told apart, or is like none that is known.
    """
    table = BUILT_IN
    for name, said in config.clients.items():
        where, known = f"clients.{name}", names(table)
        if said.like not in known:
            raise ConfigError(f"{where}.like", f"{said.like!r} is no client; accepted: {', '.join(known)}")
        if name not in known and not said.user_agent:
            problem = f"is new, so its user_agent must be given; known are {', '.join(known)}"
            raise ConfigError(where, problem)
        sign = Sign(user_agent=(said.user_agent.lower(),)) if said.user_agent else None
        changes = said.model_dump(exclude={"like", "user_agent"}, exclude_none=True)
        table = adapted(table, name, sign, said.like, changes)
    return table


def gateway_settings(config: Config, version: str) -> GatewaySettings:
    limits = config.limits
    return GatewaySettings(
        limits=Limits(
            text_bytes=limits.text_bytes, binary_bytes=limits.binary_bytes, content_chars=limits.chat_chars
        ),
        rates=Rates(limits.messages_per_s, limits.audio_kib_per_s * KIB, limits.flood_s),
        clients=clients(config),
        outgoing_frames=limits.outgoing_frames,
        hello_s=limits.hello_s,
        idle_s=limits.idle_s,
        server_version=version,
    )


def doorkeeper(config: Config, registry: DeviceRegistry | None = None) -> Doorkeeper:
    server = config.server
    tokens = (server.token, *server.tokens) if server.token else server.tokens
    rules = Rules(
        tokens=tuple(token.get_secret_value() for token in tokens),
        allowed=frozenset(server.allow),
        pairing=server.pairing,
    )
    return Doorkeeper(rules, Origins(server.host, server.origins), registry)


def metering(config: Config, metrics: Metrics) -> Metering:
    """What counts how long engines work for each device."""
    time = EngineTime(config.limits.engine_minutes_per_hour)
    return Metering(time, metrics.engine_worked, metrics.over_budget.inc)


def session_settings(config: Config) -> SessionSettings:
    turn, tts = config.turn, config.tts
    return SessionSettings(
        turn=TurnSettings(
            stt_timeout_s=config.stt.timeout_s,
            llm_timeout_s=config.llm.timeout_s,
            tts_timeout_s=tts.timeout_s,
            min_speech_ms=turn.min_speech_ms,
        ),
        endpoint=EndpointingSettings(
            start_threshold=config.vad.threshold,
            stop_threshold=config.vad.threshold * STOP_RATIO,
            min_speech_ms=turn.min_speech_ms,
            silence_ms=turn.silence_ms,
            max_utterance_ms=turn.max_speech_s * 1000,
        ),
        voice=Voice(name=tts.voice, speed=tts.speed),
        persona=config.llm.prompt,
        language=config.locale.language,
        locale=config.locale.locale,
        timezone=config.locale.timezone or machine_timezone(),
        lead_ms=config.audio.lead_ms,
        margin_ms=turn.margin_ms,
        waiting_chats=config.limits.waiting_chats,
        vision_timeout_s=config.vision.timeout_s,
    )


def machine_timezone(
    zone_file: Path = Path("/etc/localtime"), environment: Mapping[str, str] | None = None
) -> str:
    """The IANA name of this machine's time zone; UTC where it cannot be told."""
    named = (os.environ if environment is None else environment).get("TZ", "").lstrip(":")
    _, _, linked = str(zone_file.resolve()).partition("/zoneinfo/")
    return next((name for name in (named, linked) if is_timezone(name)), UTC)


def is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # it looks for a file of this name
        return False
    return True


async def open_store(config: Config) -> Store:
    """The store that the settings name.

    Raises:
        ConfigError: the data directory cannot be written.
        StoreError: the database in it cannot be opened.
    """
    if config.store.engine == "memory":
        from lumi.store.memory import MemoryStore

        return MemoryStore()
    from lumi.store.sqlite import SqliteStore

    return await SqliteStore.open(data_directory(config) / DATABASE)


def create_engines(
    config: Config,
    given: Mapping[str, Any],
    skills: Callable[[], Llm],
    tell: Callable[[News], None] = silent,
) -> Engines:
    """The engines that the settings name, save those that are `given` by kind. Cheap: they load when they start.

    Args:
        config: the settings.
        given: engines made elsewhere, by kind (`vad`, `stt`, `llm`, `tts`).
        skills: makes the built-in `llm`, which needs more than settings.
        tell: told when an engine fails, takes over or comes back.

    Raises:
        ConfigError: an engine or one of its options is unknown.
        EngineUnavailable: of some kind no engine can run here.
    """
    lists = EngineLists(config, make=partial(_create, config), installed=installed, skills=skills, tell=tell)
    makers: dict[str, Callable[[], Any]] = {
        "vad": lambda: LateVad(lambda: create_vad(config)),
        "stt": lambda: lists.listed("stt"),
        "llm": lambda: lists.listed("llm"),
        "tts": lambda: lists.listed("tts"),
        "duplex": lists.whole,
        "eyes": lambda: create_vision(config),
    }
    others = {
        f"{kind}:{name}": given.get(f"{kind}:{name}") or lists.single(kind, name)
        for kind, name in chosen(config)
    }
    return Engines(**{kind: given.get(kind) or make() for kind, make in makers.items()}, others=others)


def chosen(config: Config) -> tuple[tuple[str, str], ...]:
    """Kind and name of every engine that a device has in place of the one for all."""
    found = {
        (kind, name): None
        for device in config.devices.values()
        for kind in DEVICE_KINDS
        if (name := getattr(device, kind)) is not None and not _is_default(config, kind, name)
    }
    return tuple(found)


def _is_default(config: Config, kind: str, name: str) -> bool:
    return name not in config.engines and name == getattr(config, kind).engine


def installed(kind: str) -> tuple[str, ...]:
    from lumi.engines.registry import available

    return available(kind)


def _create(config: Config, kind: str, name: str, options: Mapping[str, Any]) -> Any:
    from lumi.engines.registry import create

    return create(kind, name, with_model(kind, name, options, config.data_dir))


def create_vad(config: Config) -> Vad:
    """What detects speech, loaded.

    Raises:
        ConfigError: an option is unknown.
        EngineUnavailable: it cannot run here.
    """
    vad: Vad = _create(config, "vad", config.vad.engine, config.vad.options)
    return vad


def create_vision(config: Config) -> Llm | None:
    """What looks at pictures, where that is not the model that answers.

    Raises:
        ConfigError: the engine or one of its settings is wrong.
        EngineUnavailable: it cannot run here.
    """
    vision = config.vision
    if not vision.own:
        return None
    try:
        llm: Llm = _create(config, "llm", vision.engine, vision.arguments)
    except ConfigError as error:
        problem = str(error).removeprefix(f"{error.key}: ")
        raise ConfigError(error.key.replace("llm.", "vision.", 1), problem) from error
    return llm


def session_manager(config: Config, services: Services, on_present: Callable[[str], None]) -> SessionManager:
    """Makes and keeps sessions; `on_present` is told of each device that comes in."""
    limits = config.limits
    return SessionManager(
        lambda session_id, device_id, agreement, hello: Session(
            session_id, device_id, agreement, hello, services, on_present
        ),
        services.store,
        services.wall_clock,
        max_sessions=limits.sessions,
        max_of_device=limits.device_sessions,
        resume_s=limits.resume_s,
    )


def recorder(config: Config, services: Services, version: str) -> Recorder:
    """Writes down the sessions of devices that are to be recorded, by the settings as they are by then."""
    sizes = config.recorder
    return Recorder(
        Recordings(config.recordings_dir),
        lambda device_id: bool(services.generations.kit(device_id).overrides.record),
        services.wall_clock,
        version,
        RecorderSettings(file_bytes=sizes.file_mb * MIB, folder_bytes=sizes.folder_mb * MIB),
    )


def vision_passes(config: Config, registry: DeviceRegistry, wall_clock: Callable[[], float]) -> VisionPasses:
    """Tells devices with a camera where to send their pictures, and with what."""
    secret = SecretFile(config.data_dir / TOKEN_SECRET)
    return VisionPasses(secret, registry, wall_clock, needed=doorkeeper(config).rules.locked)


def starters(engines: Engines) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
    """What loads each engine, by kind; an engine that has nothing to load is left out."""
    found: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}
    if isinstance(engines.vad, LateVad):
        vad = engines.vad

        async def load() -> None:
            await asyncio.to_thread(vad.load)

        found["vad"] = load
    for name, engine in (
        ("stt", engines.stt),
        ("llm", engines.llm),
        ("tts", engines.tts),
        *engines.others.items(),
    ):
        start = getattr(engine, "start", None)
        if start is not None:
            found[name] = start
    return found


def unheard(stt: Stt) -> tuple[str, ...]:
    """Of Lumi's languages, those that `stt` says it does not know; an engine that says nothing is taken to know them."""
    known = getattr(stt, "languages", None)
    return () if known is None else tuple(name for code, name in LANGUAGES.items() if code not in known)
