from __future__ import annotations

import pytest
import typer

from lumi.bench.command_line import exit_code


def command(times: int = 1) -> None:
    """Count."""
    if times > 2:
        raise typer.Exit(3)


def test_the_exit_code_is_the_command_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(command, [], "count") == 0
    assert exit_code(command, ["--times", "5"], "count") == 3
    assert exit_code(command, ["--tmies", "5"], "count") == 2
    assert "count" in capsys.readouterr().err
