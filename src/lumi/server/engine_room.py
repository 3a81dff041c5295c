"""The engines that the settings name, for all devices and for single ones. Read anew, the settings keep every engine
whose own part of them stayed as it was: its models stay loaded, and what runs in it goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lumi.config import Config
from lumi.engines.base import Llm
from lumi.engines.roster import News, Roster, silent
from lumi.server import assembly
from lumi.server.assembly import DEVICE_KINDS, Engines, chosen
from lumi.server.device_overrides import DeviceOverrides, OverridesOf
from lumi.server.generations import Generation
from lumi.server.kit import Kit, for_device

NO_PART_OF_AN_ENGINE = {"prompt", "skills_first", "voice", "speed"}
"""Settings in an engine's section that are told to it with each turn."""


@dataclass(slots=True)
class Held:
    """An engine in use."""

    engine: Any
    holders: int = 0
    """How many generations have it."""
    started: bool = False


@dataclass(frozen=True, slots=True)
class Furnished:
    """A generation whose engines are made; those among them that no generation had before have to be loaded."""

    engines: Engines
    generation: Generation
    held: tuple[Held, ...] = field(default_factory=tuple)

    async def load(self) -> None:
        """Load what is not loaded, all at once.

        Raises:
            EngineUnavailable: one cannot; the message says what to install or set.
        """
        fresh = [one for one in self.held if not one.started]
        results = await asyncio.gather(*(_start(one) for one in fresh), return_exceptions=True)
        for failure in results:
            if isinstance(failure, BaseException):
                raise failure

    def loaded(self) -> None:
        """Somebody else has loaded them."""
        for one in self.held:
            one.started = True


async def _start(held: Held) -> None:
    start = getattr(held.engine, "start", None)
    if start is not None:
        await start()
    held.started = True


class EngineRoom:
    """Makes generations.

    Args:
        given: engines made elsewhere, by kind; they stay, whatever the settings say, and are not closed.
        skills: makes the built-in `llm`.
        overrides_of: what a device's registration says.
        tell: told when an engine fails, takes over or comes back.
    """

    def __init__(
        self,
        given: Mapping[str, Any],
        skills: Callable[[], Llm],
        overrides_of: OverridesOf,
        tell: Callable[[News], None] = silent,
    ) -> None:
        self._given = {kind: engine for kind, engine in given.items() if engine is not None}
        self._skills = skills
        self._overrides_of = overrides_of
        self._held: dict[str, Held] = {}
        self._vad: Any = self._given.get("vad")
        self._tell = tell
        for engine in self._given.values():
            if hasattr(engine, "roster"):
                engine.roster.tell = tell

    @property
    def rosters(self) -> tuple[Roster[Any], ...]:
        """The lists of all engines in use, by which each is asked."""
        held = [one.engine for one in self._held.values()]
        return tuple(one.roster for one in (*self._given.values(), *held) if hasattr(one, "roster"))

    def furnish(self, config: Config) -> Furnished:
        """Make a generation. The detector of speech is the first one's for good.

        Raises:
            ConfigError: an engine or one of its options is unknown.
            EngineUnavailable: an engine cannot run here.
        """
        marks = {kind: fingerprint(config, kind) for kind in DEVICE_KINDS}
        marks |= {f"{kind}:{name}": fingerprint(config, kind, name) for kind, name in chosen(config)}
        if config.duplex.engine:
            marks["duplex"] = fingerprint(config, "duplex")
        known = {place: self._held[mark].engine for place, mark in marks.items() if mark in self._held}
        given = known | {"vad": self._vad} | self._given
        engines = assembly.create_engines(config, given, self._skills, self._tell)
        self._vad = engines.vad
        made = {kind: getattr(engines, kind) for kind in DEVICE_KINDS} | dict(engines.others)
        if engines.duplex is not None:
            made["duplex"] = engines.duplex
        owned = {marks[place]: engine for place, engine in made.items() if place not in self._given}
        held = []
        for mark, engine in owned.items():
            one = self._held.setdefault(mark, Held(engine))
            one.holders += 1
            held.append(one)

        async def give_back() -> None:
            for mark in owned:
                await self._give_back(mark)

        kit_of = self._kits(config, engines, marks)
        return Furnished(engines, Generation(kit_of, give_back), tuple(held))

    async def _give_back(self, mark: str) -> None:
        held = self._held[mark]
        held.holders -= 1
        if not held.holders:
            del self._held[mark]
            await held.engine.aclose()

    def _kits(self, config: Config, engines: Engines, marks: Mapping[str, str]) -> Callable[[str], Kit]:
        settings = assembly.session_settings(config)

        def kit_of(device_id: str) -> Kit:
            overrides = self._overrides_of(device_id).over(told(config, device_id))
            places = {kind: f"{kind}:{getattr(overrides, kind)}" for kind in DEVICE_KINDS}
            stt, llm, tts = (
                engines.others.get(places[kind], getattr(engines, kind)) for kind in DEVICE_KINDS
            )
            voice_key = marks.get(places["tts"], marks["tts"])
            return Kit(stt, llm, tts, for_device(settings, overrides), overrides, voice_key, engines.duplex)

        return kit_of


def told(config: Config, device_id: str) -> DeviceOverrides:
    """What the settings say of a device."""
    device = config.for_device(device_id)
    return DeviceOverrides(
        persona=device.prompt, **device.model_dump(include=set(DeviceOverrides.__slots__) - {"persona"})
    )


def fingerprint(config: Config, kind: str, name: str = "") -> str:
    """Stands for all an engine is made of. It may be seen by anybody: no secret can be read out of it."""
    section = getattr(config, kind) if not name else config.engines.get(name)
    parts: list[Any] = [kind, name]
    if section is not None:
        parts += _plain(section)
    if kind == "duplex":
        parts.append(config.duplex.voice)
    if getattr(section, "fallback", ()):
        parts += [(one, _plain(table)) for one, table in sorted(config.engines.items())]
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _plain(section: Any) -> list[tuple[str, Any]]:
    dumped = section.model_dump(exclude=NO_PART_OF_AN_ENGINE)
    key = section.api_key.get_secret_value() if section.api_key else ""
    return sorted((dumped | {"api_key": key}).items())
