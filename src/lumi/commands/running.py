"""Runs a command to its exit code: 0 done, 1 something is not well, 2 wrong input or no server, 130 Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import typer

from lumi.commands.console import Console
from lumi.errors import ConfigError, LumiError

DONE = 0
NOT_WELL = 1
FAILED = 2
INTERRUPTED = 130


def run(console: Console, command: Callable[[], Coroutine[Any, Any, int]]) -> None:
    """Run an asynchronous command and leave with its exit code.

    What Lumi raises on purpose becomes one line. Anything else is a bug and keeps its traceback.
    """
    raise typer.Exit(outcome(console, command))


def outcome(console: Console, command: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """The exit code of a command."""
    # A command says itself what a person should know: the library's warnings would say it twice.
    logging.getLogger("lumi.client").addHandler(logging.NullHandler())
    try:
        with asyncio.Runner(loop_factory=fastest_loop()) as runner:
            return runner.run(command())
    except LumiError as error:
        console.fail(error)
    except BaseExceptionGroup as group:
        errors = list(leaves(group))
        if not all(isinstance(error, LumiError) for error in errors):
            raise
        console.fail(errors[0])
    except KeyboardInterrupt:
        return INTERRUPTED
    return FAILED


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop where it is installed: a frame costs half there. None: Python's own."""
    try:
        uvloop = import_module("uvloop")
    except ModuleNotFoundError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[Any]:
    """The errors in a group, however deep."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        else:
            yield error


def load_extra(module: str, *, extra: str, command: str) -> ModuleType:
    """Import what only an extra brings.

    Raises:
        ConfigError: a package is missing; says how to install it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "lumi").split(".")[0] == "lumi":  # a broken installation, not a missing extra
            raise
        raise ConfigError(
            command, f"needs the package {error.name}: pip install 'lumi-assistant[{extra}]'"
        ) from error
