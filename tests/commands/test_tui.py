from __future__ import annotations

import asyncio
import io
import os
import pty
import sys
from importlib import import_module
from typing import TextIO

import pytest
from tests.client.scripted_server import scripted_server
from tests.commands.screen import CHINESE, ENGLISH

from lumi.client.client import connect
from lumi.commands import tui as module
from lumi.commands.tui import FEATURES, TuiOptions, tui
from lumi.errors import ConfigError
from lumi.protocol.messages import ClientHello


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


TERMINAL: tuple[TextIO, TextIO] = (Terminal(), Terminal())


async def test_without_a_terminal_it_says_what_to_use():
    with pytest.raises(ConfigError, match="use lumi chat"):
        await tui(ENGLISH, TuiOptions("ws://x/"), (io.StringIO(), Terminal()))


async def test_without_textual_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "textual.app", None)
    monkeypatch.delitem(sys.modules, "lumi.tui.app", raising=False)
    with pytest.raises(ConfigError, match=r"pip install 'lumi-assistant\[tui\]'"):
        await tui(ENGLISH, TuiOptions("ws://x/"), TERMINAL)


async def test_it_connects_by_itself_and_asks_for_what_it_shows(monkeypatch: pytest.MonkeyPatch):
    seen = []

    async def look(dial: object, model: object, devices: object = None) -> None:
        async with dial() as client:  # type: ignore[operator]
            await client.ready()
            seen.append((model.language, model.address))  # type: ignore[attr-defined]

    async with scripted_server() as server:
        real = connect
        monkeypatch.setattr(import_module("lumi.tui.app"), "run", look)
        monkeypatch.setattr(
            module, "connect", lambda url, **more: real(url, connector=server.connector, **more)
        )
        assert await tui(CHINESE, TuiOptions("ws://x/", token="t"), TERMINAL) == 0
        await tui(CHINESE, TuiOptions("ws://x/", language="en"), TERMINAL)
        hellos = server.received(ClientHello)
        assert server.headers == {}
    assert seen == [("zh", "ws://x/"), ("en", "ws://x/")]
    assert [hello.features.stream for hello in hellos] == [True, True]
    assert FEATURES.partials
    assert hellos[1].device_info.locale == "en_US"


@pytest.mark.real
async def test_it_draws_on_a_terminal_and_leaves_by_key():
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lumi",
        "tui",
        "--url",
        "ws://127.0.0.1:9/",
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "COLUMNS": "90", "LINES": "30"},
    )
    os.close(slave)
    loop, shown = asyncio.get_running_loop(), bytearray()
    drawn = asyncio.Event()

    def read() -> None:
        try:
            shown.extend(os.read(master, 65536))
        except OSError:
            loop.remove_reader(master)
        if "Connection failed" in shown.decode(errors="replace"):
            drawn.set()

    loop.add_reader(master, read)
    try:
        await asyncio.wait_for(drawn.wait(), 30)
        os.write(master, b"\x11")
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        loop.remove_reader(master)
        os.close(master)
    assert b"Traceback" not in shown
