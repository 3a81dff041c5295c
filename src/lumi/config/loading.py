"""Where settings come from. Of flag, environment, profile, file and default the first that says something wins.

A wrong setting is a `ConfigError` of one line: the name as the person wrote it, what is accepted, and for an unknown
name the nearest known ones.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from lumi.config.reference import accepted
from lumi.config.secret_values import reveal
from lumi.config.settings import Config, is_loopback
from lumi.config.sources import (
    FILE_NAME,
    FILE_VARIABLE,
    PREFIX,
    File,
    Given,
    chosen_profile,
    from_environment,
    from_file,
    from_flags,
)
from lumi.config.tree import Keys, Place, find, is_secret, known_paths
from lumi.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Reading:
    """Settings, and how they came about."""

    config: Config
    file: Path | None = None
    profile: str = ""
    origin: Mapping[Keys, Given] = field(default_factory=dict)
    """Who said what; secrets stand in it as they were written."""
    warnings: tuple[str, ...] = ()


def load(
    file: Path | None = None,
    *,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Config:
    """The settings, as `read` has them."""
    return read(file, flags=flags, environ=environ, directory=directory).config


def read(
    file: Path | None = None,
    *,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Reading:
    """Read all settings.

    Args:
        file: the settings file; None: `LUMI_CONFIG`, else `lumi.toml` in `directory`, where there is one.
        flags: by dotted name, e.g. `{"server.port": 8001}`; `profile` chooses one; None as a value says nothing.
        environ: the environment; None: this process's.
        directory: the current one unless given.

    Raises:
        ConfigError: something is wrong with a setting.
    """
    environ, flags = os.environ if environ is None else environ, flags or {}
    found = _find(file, environ, directory)
    profile, chosen = chosen_profile(found, environ, flags)
    if found is not None:
        _check_profiles(found)
    layers = [*(found.settings if found else ()), *chosen]
    layers += [*from_environment(environ), *from_flags(flags)]
    origin: dict[Keys, Given] = {}
    tree = _tree(layers, origin)
    warnings = _reveal(tree, origin, environ)
    config = _build(tree, origin)
    _check_together(config, origin)
    return Reading(config, found.path if found else None, profile, origin, warnings)


def settings_file(
    file: Path | None, environ: Mapping[str, str], directory: Path | None = None
) -> tuple[Path, bool]:
    """Which file is read, and whether somebody named it: one that nobody named need not be there."""
    named = file or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
    return named or (directory or Path.cwd()) / FILE_NAME, named is not None


def _find(file: Path | None, environ: Mapping[str, str], directory: Path | None) -> File | None:
    path, named = settings_file(file, environ, directory)
    return from_file(path) if named or path.exists() else None


def _check_profiles(file: File) -> None:
    """A mistake in a profile is told at once, not on the day on which it is chosen."""
    for given in file.profiles.values():
        origin: dict[Keys, Given] = {}
        _build(_tree([*file.settings, *given], origin), origin)


def _reveal(
    tree: dict[str, Any], origin: Mapping[Keys, Given], environ: Mapping[str, str]
) -> tuple[str, ...]:
    """Put secrets in the place of what stands for them."""
    warnings = []
    for given in origin.values():
        if is_secret(given.path):
            value, warning = reveal(given, environ)
            _put(tree, replace(given, value=value))
            warnings.append(warning)
    return tuple(warning for warning in warnings if warning)


def _tree(layers: Sequence[Given], origin: dict[Keys, Given]) -> dict[str, Any]:
    """All layers in one, the later above the earlier; `origin` gets who said what."""
    tree: dict[str, Any] = {}
    for given in layers:
        _check_known(given)
        _put(tree, given)
        origin[given.path] = given
    return tree


def _put(tree: dict[str, Any], given: Given) -> None:
    node = tree
    for key in given.path[:-1]:
        node[key] = dict(node[key]) if isinstance(node.get(key), dict) else {}
        node = node[key]
    node[given.path[-1]] = given.value


def _build(tree: Mapping[str, Any], origin: Mapping[Keys, Given]) -> Config:
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise _refusal(error, origin) from None


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
    paths = list(known_paths(given.path))
    names = [_spelled((*given.above, *path), env=env) for path in paths]
    sections = [] if env else [_spelled((*given.above, name), env=env) for name in Config.model_fields]
    folded = given.written.upper() if env else given.written
    near = difflib.get_close_matches(folded, names + sections, n=2, cutoff=0.6)
    section, name = given.path[:-1], given.path[-1]
    beside = [path[-1] for path in paths if section and path[:-1] == section]
    hint = f"sections are {', '.join(Config.model_fields)}"
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    elif beside:
        hint = f"beside it there are {', '.join(beside)}"
    if "options" in beside:
        own = _spelled((*given.above, *section, "options", name), env=env)
        hint += f" If the engine itself takes it: {own}"
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
    locks = (server.token, server.tokens, server.pairing, server.allow)
    if not (is_loopback(server.host) or any(locks) or server.open):
        given = origin[("server", "host")]  # the default is loopback, so somebody wrote it
        raise ConfigError(
            given.written,
            f"{server.host} can be reached by others{_at(given)}: set server.pairing = true (LUMI_SERVER__PAIRING=true) "
            "so that each device is let in once by you, or server.token (LUMI_SERVER__TOKEN) so that they must show it, "
            "or server.open = true (LUMI_SERVER__OPEN=true) to let anyone in",
        )
    _check_wyoming(config, origin)
    _check_zone(config.locale.timezone, origin, ("locale", "timezone"))
    for name, device in config.devices.items():
        _check_zone(device.timezone, origin, ("devices", name, "timezone"))


def _check_wyoming(config: Config, origin: Mapping[Keys, Given]) -> None:
    wyoming = config.wyoming
    host = wyoming.host or config.server.host
    if wyoming.port and not (is_loopback(host) or wyoming.open):
        given = origin[("wyoming", "port")]  # the default is off, so somebody wrote it
        raise ConfigError(
            given.written,
            f"{host} can be reached by others, and Wyoming knows no token{_at(given)}: set wyoming.open = true "
            "(LUMI_WYOMING__OPEN=true) to let anyone in, or wyoming.host = 127.0.0.1",
        )


def _check_zone(timezone: str | None, origin: Mapping[Keys, Given], path: Keys) -> None:
    try:
        ZoneInfo(timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        given = origin[path]
        raise ConfigError(
            given.written,
            f"{given.value!r} is no time zone{_at(given)}; accepted: an IANA name, e.g. Asia/Shanghai",
        ) from error
