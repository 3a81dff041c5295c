"""Finds engines by name: ours and other people's, through the entry points of the group `lumi.engines`.

An entry point is named `kind.name` (`stt.pocketsphinx`) and gives a callable that makes the engine. A package that
declares one is found once it is installed; nothing of it is imported before it is asked for.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumi.engines.overview import known
from lumi.errors import ConfigError, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

GROUP = "lumi.engines"
KINDS = ("vad", "stt", "llm", "tts", "duplex", "wake")


class Registry:
    """The engines that are installed.

    `entry_points` is a parameter so that a test, or an application that ships its own engines, can hand in others.
    """

    def __init__(self, entry_points: Iterable[metadata.EntryPoint] | None = None) -> None:
        found = metadata.entry_points(group=GROUP) if entry_points is None else entry_points
        self._points: dict[str, metadata.EntryPoint] = {}
        for point in found:
            self._points.setdefault(point.name, point)  # as Python does: the first on the path

    def available(self, kind: str) -> tuple[str, ...]:
        """The names of the engines of a kind, sorted. Raises `ConfigError` for an unknown kind."""
        _check(kind)
        return tuple(
            sorted(name.removeprefix(f"{kind}.") for name in self._points if name.startswith(f"{kind}."))
        )

    def package(self, kind: str, name: str) -> str:
        """The distribution that declares the engine; empty where it is not known."""
        point = self._points.get(f"{kind}.{name}")
        return point.dist.name if point and point.dist else ""

    def factory(self, kind: str, name: str) -> Callable[..., Any]:
        """What makes the engine.

        Raises:
            ConfigError: there is none of this name; says which there are.
            EngineUnavailable: there is, but something it needs is not installed.
        """
        _check(kind)
        point = self._points.get(f"{kind}.{name}")
        if point is None:
            choice = ", ".join(self.available(kind)) or "none is installed"
            raise ConfigError(f"{kind}.engine", f"there is no engine '{name}'; there are: {choice}")
        try:
            made: Callable[..., Any] = point.load()
        except ImportError as error:
            raise EngineUnavailable(name, f"{error}; {_how_to_install(point)}") from error
        except AttributeError as error:
            raise EngineUnavailable(
                name, f"its package names something that it does not have: {error}"
            ) from error
        return made

    def create(self, kind: str, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Make the engine with its keyword arguments.

        Raises:
            ConfigError: no such engine, or arguments that it does not take.
            EngineUnavailable: it cannot start here; says what to install.
        """
        factory = self.factory(kind, name)
        try:
            return factory(**(arguments or {}))
        except TypeError as error:
            # A wrong argument, or a mistake inside the engine: only the former is the settings' fault.
            if error.__traceback__ and error.__traceback__.tb_next is None:
                raise ConfigError(f"{kind}.{name}", f"does not take these settings: {error}") from error
            raise


def _installed() -> Registry:
    return _registry(_places())


@lru_cache(maxsize=1)
def _registry(_places: tuple[tuple[str, int], ...]) -> Registry:
    """Looked for anew where a package may have come or gone: it reads the metadata of all there are, some 5 ms each time."""
    return Registry()


def _places() -> tuple[tuple[str, int], ...]:
    """Where packages are looked for, and when something came to be or ceased there: ns since the epoch, 0 if it is not there."""
    return tuple((place, _changed_at(place)) for place in sys.path)


def _changed_at(place: str) -> int:
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0


def available(kind: str) -> tuple[str, ...]:
    """The names of the installed engines of a kind (one of `KINDS`)."""
    return _installed().available(kind)


def create(kind: str, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
    """Make an installed engine; see `Registry.create`."""
    return _installed().create(kind, name, arguments)


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise ConfigError("engine kind", f"'{kind}' is none; there are: {', '.join(KINDS)}")


def _how_to_install(point: metadata.EntryPoint) -> str:
    package = point.dist.name if point.dist else "lumi-assistant"
    told = known(*point.name.split(".", 1))
    extra = f"[{told.extra if told else 'server'}]" if package == "lumi-assistant" else ""
    return f"install what it needs with: pip install '{package}{extra}'"
