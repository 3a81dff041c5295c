"""Tools by the settings: what stays the same keeps its connection, what nobody has any more is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from lumi.config import Config
from lumi.config.engines import LlmSettings
from lumi.config.tools import HomeAssistantSettings, McpServerSettings, ToolSettings
from lumi.errors import ConfigError
from lumi.server import tool_room
from lumi.server.bells import Bells
from lumi.server.tool_room import NO_TOOLS, Equipped, ToolRoom, mcp_server
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.testing.tools import ScriptedTools

MODEL = LlmSettings(engine="scripted")
FILES = McpServerSettings(command="files")


async def never(*_: object, **__: object) -> bool:
    return False


@asynccontextmanager
async def house() -> AsyncIterator[ToolRoom]:
    store, clock = MemoryStore(), WallClock()
    async with ToolRoom(Bells(store, clock, never), store, clock, lambda _name, _outcome: None) as room:
        yield room


class Program(ScriptedTools):
    """Runs until it is not wanted any more."""

    runs = False

    async def run(self) -> None:
        self.runs = True
        try:
            await asyncio.Event().wait()
        finally:
            self.runs = False


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    made: list[Program] = []

    def make(name: str, given: McpServerSettings) -> Program:
        mcp_server(name, given)
        made.append(Program(name=given.command))
        return made[-1]

    monkeypatch.setattr(tool_room, "mcp_server", make)
    return made


def settings(**servers: McpServerSettings) -> Config:
    return Config(llm=MODEL, mcp=servers)


def names(equipped: Equipped) -> list[str]:
    return [] if equipped.tooling is None else [source.name for source in equipped.tooling.shared]


async def test_all_sources_that_the_settings_name():
    home = HomeAssistantSettings(url="http://home/", token=SecretStr("t"))
    async with house() as room:
        assert room.furnish(Config()) is NO_TOOLS
        full = room.furnish(Config(llm=MODEL, mcp={"files": FILES}, home_assistant=home))
        assert names(full) == ["function", "files", "home", "lumi"]
        assert names(room.furnish(Config(llm=MODEL, tools=ToolSettings(skills=False)))) == ["function"]


async def test_what_stays_is_kept_and_what_changed_is_closed_when_nobody_has_it(programs: list[Program]):
    async with house() as room:
        first = room.furnish(settings(files=FILES, notes=McpServerSettings(command="notes")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        files, notes = programs
        assert files.runs
        assert notes.runs
        second = room.furnish(settings(files=FILES, notes=McpServerSettings(command="notes", args=("-v",))))
        assert names(second) == ["function", "files", "notes", "lumi"]
        assert len(programs) == 3
        assert notes.runs, "turns that have begun may still use it"
        first.give_back()
        await asyncio.sleep(1)
        assert (files.runs, notes.runs, programs[2].runs) == (True, False, True)
        assert (files.closed, notes.closed) == (False, True)
    assert all(one.closed and not one.runs for one in programs)


@pytest.mark.parametrize(
    ("config", "key"),
    [
        (settings(notes=FILES, files=McpServerSettings()), "mcp.files"),
        (settings(notes=FILES, files=McpServerSettings(command="x", url="y")), "mcp.files"),
        (
            Config(llm=MODEL, mcp={"notes": FILES}, home_assistant=HomeAssistantSettings(url="x")),
            "home_assistant.token",
        ),
    ],
)
async def test_what_is_missing_is_named_and_nothing_stays_open(
    config: Config, key: str, programs: list[Program]
):
    async with house() as room:
        with pytest.raises(ConfigError) as caught:
            room.furnish(config)
        assert caught.value.key == key
        await asyncio.sleep(1)
        assert not any(one.runs for one in programs)


def test_an_address_is_given_its_token_and_headers():
    given = McpServerSettings(url="http://a/", token=SecretStr("sesame"), headers={"X": 3})
    assert mcp_server("far", given)._settings.headers == {"Authorization": "Bearer sesame", "X": "3"}
