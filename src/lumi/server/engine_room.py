"""The engines that the settings name, for all devices and for single ones. Read anew, the settings keep every engine
whose own part of them stayed as it was: its models stay loaded, and what runs in it goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lumi.config import Config
from lumi.engines.base import Llm
from lumi.engines.roster import News, Roster, silent
from lumi.server import assembly
from lumi.server.assembly import DEVICE_KINDS, Engines, chosen, installed
from lumi.server.device_overrides import DeviceOverrides, OverridesOf
from lumi.server.engine_lists import alone, wanted
from lumi.server.generations import Generation
from lumi.server.kit import Kit, for_device
from lumi.server.tool_room import NO_TOOLS, ToolRoom
from lumi.server.tooling import Tooling

ALONE = ("duplex", "eyes")
"""Engines that there is one of at most, with no list behind it."""


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
        tools: makes what models may call.
    """

    def __init__(
        self,
        given: Mapping[str, Any],
        skills: Callable[[], Llm],
        overrides_of: OverridesOf,
        tell: Callable[[News], None] = silent,
        tools: ToolRoom | None = None,
    ) -> None:
        self._given = {kind: engine for kind, engine in given.items() if engine is not None}
        self._skills = skills
        self._overrides_of = overrides_of
        self._held: dict[str, Held] = {}
        self._anew = itertools.count(1)
        self._vad: Any = self._given.get("vad")
        self._tell = tell
        self._tools = tools
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
            ConfigError: an engine, a tool server or one of their options is unknown.
            EngineUnavailable: an engine cannot run here.
        """
        equipped = NO_TOOLS if self._tools is None else self._tools.furnish(config)
        try:
            marks = self._marks(config)
            known = {place: self._held[mark].engine for place, mark in marks.items() if mark in self._held}
            given = known | {"vad": self._vad} | self._given
            engines = assembly.create_engines(config, given, self._skills, self._tell)
        except BaseException:
            equipped.give_back()
            raise
        self._vad = engines.vad
        made = {kind: getattr(engines, kind) for kind in (*DEVICE_KINDS, *ALONE)} | dict(engines.others)
        held = {
            marks[place]: self._hold(marks[place], made[place]) for place in marks if made[place] is not None
        }

        async def give_back() -> None:
            equipped.give_back()
            for mark in held:
                await self._give_back(mark)

        kit_of = self._kits(config, engines, marks, equipped.tooling)
        return Furnished(engines, Generation(kit_of, give_back), tuple(held.values()))

    def _marks(self, config: Config) -> dict[str, str]:
        """What stands for each engine that is ours to make. One of which a part could not be made is made anew."""
        wishes = {kind: (kind, "") for kind in DEVICE_KINDS}
        wishes |= {f"{kind}:{name}": (kind, name) for kind, name in chosen(config)}
        if config.duplex.engine:
            wishes["duplex"] = ("duplex", "")
        if config.vision.own:
            wishes["eyes"] = ("vision", "")
        marks = {
            place: fingerprint(config, *wish) for place, wish in wishes.items() if place not in self._given
        }
        return {
            place: f"{mark}~{next(self._anew)}" if self._is_incomplete(mark) else mark
            for place, mark in marks.items()
        }

    def _is_incomplete(self, mark: str) -> bool:
        held = self._held.get(mark)
        roster = getattr(held.engine, "roster", None) if held else None
        return roster is not None and any(member.engine is None for member in roster.members)

    def _hold(self, mark: str, engine: Any) -> Held:
        one = self._held.setdefault(mark, Held(engine))
        one.holders += 1
        return one

    async def _give_back(self, mark: str) -> None:
        held = self._held[mark]
        held.holders -= 1
        if not held.holders:
            del self._held[mark]
            await held.engine.aclose()

    def _kits(
        self, config: Config, engines: Engines, marks: Mapping[str, str], tooling: Tooling | None
    ) -> Callable[[str], Kit]:
        settings, common_voice = assembly.session_settings(config), marks.get("tts", "")

        def kit_of(device_id: str) -> Kit:
            overrides = self._overrides_of(device_id).over(told(config, device_id))
            places = {kind: f"{kind}:{getattr(overrides, kind)}" for kind in DEVICE_KINDS}
            stt, llm, tts = (
                engines.others.get(places[kind], getattr(engines, kind)) for kind in DEVICE_KINDS
            )
            return Kit(
                stt,
                llm,
                tts,
                for_device(settings, overrides),
                overrides,
                voice_key=marks.get(places["tts"], common_voice),
                duplex=engines.duplex,
                tooling=tooling,
                eyes=engines.eyes,
            )

        return kit_of


def told(config: Config, device_id: str) -> DeviceOverrides:
    """What the settings say of a device."""
    device = config.for_device(device_id)
    return DeviceOverrides(
        persona=device.prompt, **device.model_dump(include=set(DeviceOverrides.__slots__) - {"persona"})
    )


def fingerprint(config: Config, kind: str, name: str = "") -> str:
    """Stands for all that an engine is made of, and what stands in for it. It may be seen by anybody: no secret can be read
    out of it.

    Raises:
        ConfigError: the settings name what is not there.
    """
    parts = repr((kind, name, *_made_of(config, kind, name)))
    return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()


def _made_of(config: Config, kind: str, name: str) -> list[Any]:
    section = getattr(config, kind)
    if kind == "duplex":
        return [section.engine, section.voice, sorted(section.arguments.items())]
    if kind == "vision":
        return [section.engine, sorted(section.arguments.items())]
    wishes = alone(config, kind, name, installed) if name else wanted(config, kind, installed)
    return [
        section.slow_s,
        *((one.name, one.setting, one.engine, sorted(one.arguments.items())) for one in wishes),
    ]
