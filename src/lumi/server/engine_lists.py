"""From the settings to the engines of one kind, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lumi.config import Config
from lumi.config.engines import stand_ins
from lumi.engines.fallback_llm import FallbackLlm
from lumi.engines.fallback_stt import FallbackStt
from lumi.engines.fallback_tts import FallbackTts
from lumi.engines.guarded_duplex import GuardedDuplex
from lumi.engines.roster import Failed, Member, News, Roster
from lumi.errors import ConfigError, EngineUnavailable
from lumi.server.bells import SKILLS

PROBE_S: Final = 10.0
"""How long a realtime model may take to answer a probe, or say nothing at all before that counts against it."""

FRONTS: Final[Mapping[str, Callable[[Roster[Any]], Any]]] = {
    "stt": FallbackStt,
    "llm": FallbackLlm,
    "tts": FallbackTts,
}
"""What a list of engines of a kind is asked through."""

Make = Callable[[str, str, Mapping[str, Any]], Any]
"""Makes an engine: kind, name, arguments."""

Installed = Callable[[str], tuple[str, ...]]
"""The names of the engines of a kind."""


_TABLE = (
    "'{name}' is a table, [engines.{name}], which may stand in {kind}.fallback and for devices; "
    "what is asked first has its settings in [{kind}] itself: write them there, with the table's own engine"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One engine that the settings ask for. `engine` is its name in the registry."""

    name: str
    setting: str
    engine: str
    arguments: Mapping[str, Any]


def wanted(config: Config, kind: str, installed: Installed) -> Iterator[Wanted]:
    """The engines of a kind, the first being asked first.

    A name in `fallback` is that of an `[engines.NAME]` table, if there is such a table, else an engine's.

    Raises:
        ConfigError: a name is neither, is there twice, or stands for an engine that is not installed.
    """
    section = getattr(config, kind)
    if section.engine in config.engines and section.engine not in installed(kind):
        raise ConfigError(f"{kind}.engine", _TABLE.format(name=section.engine, kind=kind))
    yield Wanted(section.engine, f"{kind}.engine", section.engine, section.arguments)
    yield from _behind(config, kind, section.engine, stand_ins(section, section.engine), installed)


def alone(config: Config, kind: str, name: str, installed: Installed) -> Iterator[Wanted]:
    """What a device has in place of the engine for all: by an engine's own name, or that of an `[engines.NAME]` table.

    What stands in for the one for all does not stand in for it; only no voice is left without the built-in one.
    """
    table = config.engines.get(name)
    engine, arguments = (name, {}) if table is None else (table.engine, table.arguments)
    yield Wanted(name, f"devices.*.{kind}", engine, arguments)
    if kind == "tts" and config.tts.fallback is None:
        yield from _behind(config, kind, name, stand_ins(config.tts, engine), installed)


def _behind(
    config: Config, kind: str, first: str, names: Sequence[str], installed: Installed
) -> Iterator[Wanted]:
    seen, key, there = {first}, f"{kind}.fallback", installed(kind)
    if getattr(config, kind).fallback is None:
        names = [name for name in names if name in there]
    for name in names:
        if name in seen:
            raise ConfigError(key, f"'{name}' is asked already; name each engine once, in the order wanted")
        seen.add(name)
        table = config.engines.get(name)
        engine, setting = (name, key) if table is None else (table.engine, f"engines.{name}")
        if engine not in there:
            raise ConfigError(*_unknown(config, kind, name, installed))
        yield Wanted(name, setting, engine, {} if table is None else table.arguments)


def _unknown(config: Config, kind: str, name: str, installed: Installed) -> tuple[str, str]:
    there = ", ".join(installed(kind)) or "none is installed"
    table = config.engines.get(name)
    if table is not None:
        return f"engines.{name}.engine", f"there is no {kind} engine '{table.engine}'; there are: {there}"
    tables = ", ".join(config.engines) or "none"
    return (
        f"{kind}.fallback",
        f"'{name}' is neither an engine ({there}) nor a table [engines.{name}] (there are: {tables})",
    )


class EngineLists:
    """Makes them.

    Args:
        make: makes one engine.
        installed: which there are.
        skills: makes the built-in `llm`.
        tell: told when an engine fails, takes over or comes back.
    """

    def __init__(
        self,
        config: Config,
        *,
        make: Make,
        installed: Installed,
        skills: Callable[[], Any],
        tell: Callable[[News], None],
    ) -> None:
        self._config = config
        self._make = make
        self._installed = installed
        self._skills = skills
        self._tell = tell

    def listed(self, kind: str) -> Any:
        """The engine of a kind, with those that stand in for it. One that cannot run here is not asked.

        Raises:
            ConfigError: see `wanted`; or an engine does not take what was set for it.
            EngineUnavailable: none of them can run here; the first one's reason.
        """
        return self._list(kind, wanted(self._config, kind, self._installed))

    def single(self, kind: str, name: str) -> Any:
        """A device's own engine, see `alone`. Raises as `listed` does."""
        return self._list(kind, alone(self._config, kind, name, self._installed))

    def _list(self, kind: str, wishes: Iterable[Wanted]) -> Any:
        members: list[Member[Any]] = []
        for one in wishes:
            try:
                members.append(self._member(kind, one))
            except EngineUnavailable as error:
                members.append(Member(one.name, one.setting, None, error))
                self._tell(Failed(kind, one.name, one.setting, error, opened=True))
        if all(member.engine is None for member in members):
            raise members[0].problem or EngineUnavailable(kind, "no engine can run here")
        return self._front(kind, members)

    def whole(self) -> Any | None:
        """What does whole spoken turns, where the settings name such an engine.

        Raises:
            ConfigError: there is none of this name, or it does not take what was set for it.
            EngineUnavailable: it cannot run here.
        """
        section = self._config.duplex
        if not section.engine:
            return None
        voice = {"voice": section.voice} if section.voice else {}
        engine = self._make("duplex", section.engine, dict(section.arguments) | voice)
        member: Member[Any] = Member(section.engine, "duplex.engine", engine)
        return GuardedDuplex(Roster("duplex", [member], slow_s=PROBE_S, tell=self._tell))

    def _member(self, kind: str, one: Wanted) -> Member[Any]:
        built_in = (kind, one.engine) == ("llm", SKILLS)
        engine = self._skills() if built_in else self._make(kind, one.engine, one.arguments)
        return Member(one.name, one.setting, engine)

    def _front(self, kind: str, members: Sequence[Member[Any]]) -> Any:
        slow_s = getattr(self._config, kind).slow_s
        return FRONTS[kind](Roster(kind, members, slow_s=slow_s, tell=self._tell))
