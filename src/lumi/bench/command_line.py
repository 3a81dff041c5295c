"""One command on a command line of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import typer


def exit_code(command: Callable[..., None], arguments: Sequence[str], name: str) -> int:
    """The command with its arguments as a shell would give them; returns the exit code."""
    application = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    application.command()(command)
    try:
        application(args=list(arguments), prog_name=name)
    except SystemExit as done:
        return int(done.code or 0)
    return 0
