"""Where settings come from. Of flag, environment, file and default the first that says something wins.

A wrong setting is a `ConfigError` of one line: the name as the person wrote it, what is accepted, and for an unknown
name the nearest known ones.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from lumi.config.reference import accepted
from lumi.config.settings import Config, is_loopback
from lumi.config.tree import Keys, Place, find, is_secret, known_paths
from lumi.errors import ConfigError

FILE_NAME = "lumi.toml"
PREFIX = "LUMI_"
SHORT_NAMES: dict[str, tuple[str, ...]] = {
    "LUMI_HOST": ("server", "host"),
    "LUMI_PORT": ("server", "port"),
    "LUMI_DATA_DIR": ("server", "data_dir"),
}
FLAG_NAMES: dict[tuple[str, ...], str] = {
    ("server", "host"): "--host",
    ("server", "port"): "--port",
    ("server", "data_dir"): "--data-dir",
    ("log", "level"): "--log-level",
}


@dataclass(frozen=True, slots=True)
class Given:
    """One setting as somebody wrote it. `place` says where, for errors (`in /etc/lumi.toml`), or is empty."""

    path: Keys
    value: object
    written: str
    place: str = ""


def load(
    file: Path | None = None,
    *,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Config:
    """Read all settings.

    Args:
        file: the settings file; None: `LUMI_CONFIG`, else `lumi.toml` in `directory`, where there is one.
        flags: by dotted name, e.g. `{"server.port": 8001}`; None as a value says nothing.
        environ: the environment; None: this process's.
        directory: the current one unless given.

    Raises:
        ConfigError: something is wrong with a setting.
    """
    environ = os.environ if environ is None else environ
    chosen = file or (Path(environ["LUMI_CONFIG"]) if environ.get("LUMI_CONFIG") else None)
    found = chosen or (directory or Path.cwd()) / FILE_NAME
    layers: list[Given] = []
    if chosen or found.exists():
        layers += _from_file(found)
    layers += _from_environment(environ)
    layers += _from_flags(flags or {})
    return _build(layers)


def _from_file(file: Path) -> Iterator[Given]:
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise ConfigError(str(file), f"cannot be read ({reason}); give a TOML file, or none") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(file), f"is not TOML: {error}") from error
    yield from _flatten(tables, (), f"in {file}")


def _flatten(table: Mapping[str, Any], above: Keys, place: str) -> Iterator[Given]:
    for key, value in table.items():
        path = (*above, key)
        found = find(path).place
        if isinstance(value, dict) and found not in {Place.FREE, Place.UNKNOWN}:
            yield from _flatten(value, path, place)
        else:
            yield Given(path, value, ".".join(path), place)


def _from_environment(environ: Mapping[str, str]) -> Iterator[Given]:
    for name in sorted(name for name in environ if name.upper().startswith(PREFIX)):
        value = environ[name]
        if name.upper() in SHORT_NAMES:
            if value:  # `LUMI_PORT=` in a script that passes it on means: not set
                yield Given(SHORT_NAMES[name.upper()], value, name)
        elif "__" in name:
            path = tuple(name[len(PREFIX) :].lower().split("__"))
            yield Given(path, _as_toml(value) if find(path).place is Place.FREE else value, name)
        elif near := difflib.get_close_matches(name.upper(), SHORT_NAMES, n=1, cutoff=0.8):
            # Names further away may be another program's, or the client's.
            raise ConfigError(name, f"no such setting; did you mean {near[0]}?")


def _as_toml(text: str) -> object:
    """An engine's option has no type that is known here: `3`, `true` and `["a"]` are meant as in the file."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _from_flags(flags: Mapping[str, object]) -> Iterator[Given]:
    for name, value in flags.items():
        path = tuple(name.split("."))
        if value is not None:
            yield Given(path, value, FLAG_NAMES.get(path, name))


def _build(layers: list[Given]) -> Config:
    tree: dict[str, dict[str, Any]] = {}
    origin: dict[Keys, Given] = {}
    for given in layers:
        _check_known(given)
        node = tree.setdefault(given.path[0], {})
        for key in given.path[1:-1]:
            node[key] = dict(node[key]) if isinstance(node.get(key), dict) else {}
            node = node[key]
        node[given.path[-1]] = given.value
        origin[given.path] = given
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise _refusal(error, origin) from None
    _check_together(config, origin)
    return config


def _check_known(given: Given) -> None:
    place = find(given.path).place
    if place is Place.UNKNOWN:
        raise _unknown(given)
    if place in {Place.TABLE, Place.NAMED} and not isinstance(given.value, Mapping):
        raise ConfigError(
            given.written, f"{given.value!r} will not do{_at(given)}; accepted: {accepted(given.path)}"
        )


def _unknown(given: Given) -> ConfigError:
    env = given.written.upper().startswith(PREFIX)
    names = [_spelled(path, env=env) for path in known_paths(given.path)]
    sections = [] if env else list(Config.model_fields)
    folded = given.written.upper() if env else given.written
    near = difflib.get_close_matches(folded, names + sections, n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else f"sections are {', '.join(Config.model_fields)}"
    return ConfigError(given.written, f"no such setting{_at(given)}; {hint}")


def _spelled(path: Keys, *, env: bool) -> str:
    return PREFIX + "__".join(path).upper() if env else ".".join(path)


def _refusal(error: ValidationError, origin: Mapping[Keys, Given]) -> ConfigError:
    wrong = [
        _written_at(tuple(str(part) for part in detail["loc"]), origin)
        for detail in error.errors(include_url=False, include_context=False)
    ]
    first, *others = dict.fromkeys(given.written for given in wrong)
    given = next(given for given in wrong if given.written == first)
    more = f"; also wrong: {', '.join(others)}" if others else ""
    if given.value is None:
        return ConfigError(first, f"is missing; accepted: {accepted(given.path)}{more}")
    said = "this" if is_secret(given.path) else repr(given.value)
    return ConfigError(first, f"{said} will not do{_at(given)}; accepted: {accepted(given.path)}{more}")


def _written_at(location: Keys, origin: Mapping[Keys, Given]) -> Given:
    """What somebody wrote there, or above; something that is missing was written by nobody."""
    above = [location[:length] for length in range(len(location), 0, -1)]
    return next((origin[path] for path in above if path in origin), Given(location, None, ".".join(location)))


def _at(given: Given) -> str:
    return f" ({given.place})" if given.place else ""


def _check_together(config: Config, origin: Mapping[Keys, Given]) -> None:
    """What one field alone cannot know."""
    server = config.server
    if not (is_loopback(server.host) or server.token or server.open):
        given = origin[("server", "host")]  # the default is loopback, so somebody wrote it
        raise ConfigError(
            given.written,
            f"{server.host} can be reached by others{_at(given)}: set server.token (LUMI_SERVER__TOKEN) so that they "
            "must show it, or server.open = true (LUMI_SERVER__OPEN=true) to let anyone in",
        )
    _check_zone(config.locale.timezone, origin, ("locale", "timezone"))
    for name, device in config.devices.items():
        _check_zone(device.timezone, origin, ("devices", name, "timezone"))


def _check_zone(timezone: str | None, origin: Mapping[Keys, Given], path: Keys) -> None:
    try:
        ZoneInfo(timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        given = origin[path]
        raise ConfigError(
            given.written,
            f"{given.value!r} is no time zone{_at(given)}; accepted: an IANA name, e.g. Asia/Shanghai",
        ) from error
