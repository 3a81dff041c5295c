"""Who says what: the file, its profile, the environment and the flags, each as a series of single settings."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumi.config.tree import Keys, Place, find
from lumi.errors import ConfigError

FILE_NAME = "lumi.toml"
PREFIX = "LUMI_"
PROFILE = "profile"
PROFILES = "profiles"
PROFILE_VARIABLE = "LUMI_PROFILE"
FILE_VARIABLE = "LUMI_CONFIG"
SHORT_NAMES: dict[str, Keys] = {
    "LUMI_HOST": ("server", "host"),
    "LUMI_PORT": ("server", "port"),
    "LUMI_DATA_DIR": ("server", "data_dir"),
}
FLAG_NAMES: dict[Keys, str] = {
    ("server", "host"): "--host",
    ("server", "port"): "--port",
    ("server", "data_dir"): "--data-dir",
    ("log", "level"): "--log-level",
    ("server", "open"): "--open",
}


@dataclass(frozen=True, slots=True)
class Given:
    """One setting as somebody wrote it. `place` says where, for errors (`in /etc/lumi.toml`), or is empty."""

    path: Keys
    value: object = field(repr=False)  # it may be a secret
    written: str
    place: str = ""
    above: Keys = ()
    """Where it was written below a table of a profile: that table."""
    directory: Path = field(default_factory=Path)
    """What a relative path in it is relative to."""

    @property
    def source(self) -> str:
        """Who said it, for people: `lumi.toml`, `lumi.toml [profiles.home]`, `LUMI_PORT`, `--port`."""
        if not self.place:
            return self.written
        name = Path(self.place.removeprefix("in ")).name
        return f"{name} [{'.'.join(self.above)}]" if self.above else name


@dataclass(frozen=True, slots=True)
class File:
    """A settings file, taken apart. `profile` is the one that it chooses itself."""

    path: Path
    settings: tuple[Given, ...] = ()
    profiles: Mapping[str, tuple[Given, ...]] = field(default_factory=dict)
    profile: str = ""


def from_file(path: Path) -> File:
    """Read a file.

    Raises:
        ConfigError: it cannot be read, is not TOML, or its profiles are no tables.
    """
    tables = _tables(path)
    place = f"in {path}"
    profile, profiles = tables.pop(PROFILE, ""), tables.pop(PROFILES, {})
    if not isinstance(profile, str):
        raise ConfigError(PROFILE, f"{profile!r} will not do ({place}); accepted: the name of a profile")
    wrong = not isinstance(profiles, dict) or any(not isinstance(one, dict) for one in profiles.values())
    if wrong:
        raise ConfigError(PROFILES, f"will not do ({place}); accepted: tables like [profiles.home.server]")
    directory = path.absolute().parent
    return File(
        path,
        tuple(_flatten(tables, (), place, (), directory)),
        {
            name: tuple(_flatten(one, (), place, (PROFILES, name), directory))
            for name, one in profiles.items()
        },
        profile,
    )


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise ConfigError(str(path), f"cannot be read ({reason}); give a TOML file, or none") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), f"is not TOML: {error}") from error


def _flatten(table: Mapping[str, Any], at: Keys, place: str, above: Keys, directory: Path) -> Iterator[Given]:
    for key, value in table.items():
        path = (*at, key)
        found = find(path).place
        whole = found is Place.UNKNOWN or (found is Place.FREE and find(at).place is Place.FREE)
        if isinstance(value, dict) and not whole:
            yield from _flatten(value, path, place, above, directory)
        else:
            yield Given(path, value, ".".join((*above, *path)), place, above, directory)


def from_environment(environ: Mapping[str, str]) -> Iterator[Given]:
    """What the environment says. Raises ConfigError for a name that is nearly one of ours."""
    for name in sorted(name for name in environ if name.upper().startswith(PREFIX)):
        value, folded = environ[name], name.upper()
        if folded in SHORT_NAMES:
            if value:  # `LUMI_PORT=` in a script that passes it on means: not set
                yield Given(SHORT_NAMES[folded], value, name)
        elif "__" in name:
            path = tuple(name[len(PREFIX) :].lower().split("__"))
            yield Given(path, _as_toml(value) if find(path).place is Place.FREE else value, name)
        elif folded != PROFILE_VARIABLE:
            known = [*SHORT_NAMES, PROFILE_VARIABLE]
            if near := difflib.get_close_matches(folded, known, n=1, cutoff=0.8):
                # Names further away may be another program's, or the client's.
                raise ConfigError(name, f"no such setting; did you mean {near[0]}?")


def _as_toml(text: str) -> object:
    """An engine's option has no type that is known here: `3`, `true` and `["a"]` are meant as in the file."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def from_flags(flags: Mapping[str, object]) -> Iterator[Given]:
    """What the command line says, by dotted name; None says nothing."""
    for name, value in flags.items():
        path = tuple(name.split("."))
        if value is not None and name != PROFILE:
            yield Given(path, value, FLAG_NAMES.get(path, name))


def chosen_profile(
    file: File | None, environ: Mapping[str, str], flags: Mapping[str, object]
) -> tuple[str, tuple[Given, ...]]:
    """The profile that a flag, the environment or the file chooses, and what it says; an empty name: none.

    Raises:
        ConfigError: there is no such profile; names those that there are.
    """
    asked = (
        ("--profile", flags.get(PROFILE)),
        (PROFILE_VARIABLE, environ.get(PROFILE_VARIABLE)),
        (PROFILE, file.profile if file else ""),
    )
    written, name = next(((who, str(what)) for who, what in asked if what), ("", ""))
    if not name:
        return "", ()
    profiles = file.profiles if file else {}
    if name not in profiles:
        where = f"in {file.path}" if file else f"there is no {FILE_NAME}"
        there = f"there are: {', '.join(profiles)}" if profiles else f"write one as [profiles.{name}.llm] …"
        raise ConfigError(written, f"there is no profile {name!r} ({where}); {there}")
    return name, profiles[name]
