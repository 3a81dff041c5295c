from __future__ import annotations

from types import SimpleNamespace

import pytest
from tests.commands.screen import ENGLISH, Screen

from lumi.commands import bench as module
from lumi.commands.bench import bench
from lumi.errors import ConfigError, Overloaded


def test_the_arguments_go_on_and_the_exit_code_comes_back(monkeypatch: pytest.MonkeyPatch):
    seen = []

    def main(arguments: list[str]) -> int:
        seen.append(arguments)
        return 3

    monkeypatch.setattr(module, "load_extra", lambda *_names, **_options: SimpleNamespace(main=main))
    assert bench(ENGLISH, ("--devices", "1")) == 3
    assert seen == [["--devices", "1"]]


@pytest.mark.parametrize("error", [ConfigError("lumi bench", "needs the package x"), Overloaded("too much")])
def test_what_goes_wrong_is_one_line(screen: Screen, monkeypatch: pytest.MonkeyPatch, error):
    def missing(*_names: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(module, "load_extra", missing)
    assert bench(ENGLISH, []) == 2
    assert screen.read()[1].count("\n") == 1
