from __future__ import annotations

import asyncio
import sys

import pytest
import typer
from tests.commands.screen import ENGLISH, Screen

from lumi.commands import running
from lumi.commands.running import fastest_loop, load_extra, outcome, run
from lumi.errors import ConfigError, ConnectFailed


async def seven() -> int:
    return 7


async def failing() -> int:
    raise ConnectFailed("nobody there")


async def failing_in_a_group() -> int:
    async def inner() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(failing())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(inner())
    return 0


async def buggy_in_a_group() -> int:
    async def bug() -> None:
        raise KeyError("bug")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bug())
        tasks.create_task(failing())
    return 0


async def interrupted() -> int:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (seven, 7, ""),
        (failing, 2, "connection failed: nobody there\n"),
        (failing_in_a_group, 2, "connection failed: nobody there\n"),
        (interrupted, 130, ""),
    ],
)
def test_how_a_command_ends(screen: Screen, command, code, said):
    assert outcome(ENGLISH, command) == code
    assert screen.read() == ("", said)


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ExceptionGroup) as caught:
        outcome(ENGLISH, buggy_in_a_group)
    assert caught.group_contains(KeyError)


def test_the_exit_code_is_the_program_s():
    with pytest.raises(typer.Exit) as caught:
        run(ENGLISH, seven)
    assert caught.value.exit_code == 7


def test_without_uvloop_python_s_own_loop_is_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert fastest_loop() is None
    assert outcome(ENGLISH, seven) == 7


def test_an_extra_that_is_there():
    assert load_extra("json", extra="server", command="x").__name__ == "json"


def test_a_missing_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    def missing(_name: str) -> None:
        raise ModuleNotFoundError("No module named 'pydantic_settings'", name="pydantic_settings")

    monkeypatch.setattr(running, "import_module", missing)
    with pytest.raises(
        ConfigError, match=r"lumi serve: needs the package pydantic_settings: pip install .*\[server\]"
    ):
        load_extra("lumi.config", extra="server", command="lumi serve")


def test_a_missing_module_of_our_own_is_a_bug():
    with pytest.raises(ModuleNotFoundError):
        load_extra("lumi.nonsense", extra="server", command="x")
