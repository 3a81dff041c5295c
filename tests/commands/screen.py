"""A console whose output a test can read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lumi.commands.console import Console


class Screen:
    """What a command wrote, from pytest's `capsys`."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def read(self) -> tuple[str, str]:
        """Standard output and standard error since the last time."""
        captured = self._capsys.readouterr()
        return captured.out, captured.err

    def object(self) -> dict[str, Any]:
        """Standard output, which must be exactly one JSON object."""
        out, _ = self.read()
        assert out.count("\n") == 1
        value = json.loads(out)
        assert isinstance(value, dict)
        return value


ENGLISH = Console("en")
CHINESE = Console("zh")
AS_JSON = Console("en", as_json=True)
