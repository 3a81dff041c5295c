"""`lumi serve`: a server until it is told to stop."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import Any

import typer

from lumi.commands.running import load_extra

LAN: Mapping[str, object] = {"server.host": "0.0.0.0", "server.pairing": True, "server.announce": True}  # noqa: S104
"""What `--lan` stands for: the household's devices find the server, and each is let in once."""


MOST_FILES = 65_536


def with_lan(flags: Mapping[str, object]) -> dict[str, object]:
    """The flags, and what `--lan` says where they say nothing."""
    return {**LAN, **{name: value for name, value in flags.items() if value is not None}}


def qr_code(address: str) -> str:
    """The address for a phone's camera, in block characters; nothing where that cannot be drawn."""
    try:
        import segno
    except ModuleNotFoundError:
        return ""
    out = StringIO()
    segno.make(address, error="l", micro=False).terminal(out, compact=True)
    return out.getvalue().rstrip("\n")


def open_enough_files() -> None:
    """Each connection is a file, and what a process may open by default is soon used up: have all that it may have."""
    try:
        import resource
    except ModuleNotFoundError:  # not on Windows, which has no such bound
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # some systems allow less than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """What is being loaded is no garbage, and the collector would look through it again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def load_structlog() -> None:
    """Without rich, which takes longer to load than the rest of it: it draws tracebacks, and the log wants plain ones.

    Raises:
        ConfigError: structlog is not installed.
    """
    if "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # Python's own way to say that there is no such package
    try:
        load_extra("structlog", extra="server", command="lumi serve")
    finally:
        del sys.modules["rich"]


async def serve(config_file: Path | None, flags: Mapping[str, object], *, lan: bool = False) -> int:
    """Run a server with the settings of flag, environment and file.

    Args:
        config_file: the settings file.
        flags: settings by their dotted names; None: not given.
        lan: `--lan`.

    Returns:
        The exit code.

    Raises:
        ConfigError: a setting is wrong, the port is taken, or the server's packages are not installed.
    """
    with _nothing_collected():
        load_structlog()
        app = load_extra("lumi.server.app", extra="server", command="lumi serve")
        config = load_extra("lumi.config", extra="server", command="lumi serve")

    def read() -> Any:
        given = with_lan(flags) if lan else flags
        reading = config.read(config_file, flags=given)
        if lan and "tls" not in reading.config.server.model_fields_set:
            reading = config.read(config_file, flags={**given, "server.tls": "local"})
        return reading

    open_enough_files()
    reading = read()
    for warning in reading.warnings:
        typer.echo(f"Mind: {warning}", err=True)
    await app.serve(reading.config, picture=qr_code, reread=lambda: read().config)
    return 0
