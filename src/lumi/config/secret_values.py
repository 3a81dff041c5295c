"""Secrets that stand elsewhere: `file:/run/secrets/key` and `env:NAME` in place of the secret itself."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from lumi.config.sources import Given
from lumi.errors import ConfigError

FILE = "file:"
VARIABLE = "env:"
MAX_SECRET_BYTES = 64 * 1024


def reveal(given: Given, environ: Mapping[str, str]) -> tuple[object, str]:
    """What a secret setting stands for, and a warning where others can read it, or an empty text.

    Raises:
        ConfigError: the file cannot be read, or the environment has no such variable.
    """
    value = given.value
    if not isinstance(value, str):
        return value, ""
    if value.startswith(FILE):
        return _from_file(given, value.removeprefix(FILE))
    if value.startswith(VARIABLE):
        return _from_variable(given, value.removeprefix(VARIABLE), environ), ""
    written_down = given.place.removeprefix("in ")
    exposed = bool(written_down) and readable_by_all(Path(written_down))
    return value, f"{given.written} stands in {written_down}, {ADVICE}" if exposed else ""


ADVICE = "which every user of this machine can read: chmod 600 makes it yours alone"


def _from_file(given: Given, name: str) -> tuple[str, str]:
    path = given.directory / Path(name).expanduser()
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SECRET_BYTES).decode("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise ConfigError(
            given.written, f"its file {path} cannot be read ({reason}); give one that holds the secret alone"
        ) from error
    if not text:
        raise ConfigError(given.written, f"its file {path} is empty; write the secret into it")
    warning = f"{given.written}: the secret is in {path}, {ADVICE}" if readable_by_all(path) else ""
    return text, warning


def _from_variable(given: Given, name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "").rstrip("\r\n")
    if not value:
        raise ConfigError(
            given.written, f"the environment has no {name}, which is to hold the secret: set it"
        )
    return value


def readable_by_all(path: Path) -> bool:
    """Whether any user of this machine can read it; False where that cannot be told."""
    if os.name != "posix":
        return False
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and bool(mode & stat.S_IROTH)
