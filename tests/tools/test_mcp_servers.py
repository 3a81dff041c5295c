"""Against real tool servers: processes over their standard input and output, and over streamable HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from lumi.engines.base import Speaker, ToolCall, ToolResult
from lumi.errors import NetworkError, ToolError
from lumi.tools import mcp_servers
from lumi.tools.mcp_servers import McpServer, McpSettings

pytestmark = pytest.mark.real

PROGRAM = str(Path(__file__).with_name("mcp_program.py"))
SPEAKER = Speaker(device_id="d")
SLACK_S = 20.0


def stdio(*arguments: str, **settings: object) -> McpSettings:
    return McpSettings(command=sys.executable, args=(PROGRAM, *arguments), **settings)  # type: ignore[arg-type]


def call(name: str, arguments: str = "{}") -> ToolCall:
    return ToolCall("1", name, arguments)


@asynccontextmanager
async def running(
    settings: McpSettings, *, wait: bool = True, name: str = "house"
) -> AsyncIterator[McpServer]:
    server = McpServer(name, settings)
    task = asyncio.create_task(server.run())
    try:
        if wait:
            async with asyncio.timeout(SLACK_S):
                await server.connected.wait()
        yield server
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_a_programs_tools_are_listed_and_called():
    async with running(stdio("stdio", allow=("*",))) as server:
        specs = {spec.name: spec for spec in await server.specs(SPEAKER)}
        assert set(specs) == {"add", "unlock", "die", "hang", "fail", "babble", "pid"}
        add, unlock = specs["add"], specs["unlock"]
        assert (add.description, add.read_only, add.confirm) == ("Add two numbers.", True, False)
        assert add.parameters["required"] == ["a", "b"]
        assert (unlock.title, unlock.read_only, unlock.confirm) == ("unlock the door", False, True)
        assert await server.call(call("add", '{"a": 2, "b": 40}'), SPEAKER) == ToolResult("42")
        failed = await server.call(call("fail"), SPEAKER)
        assert failed.failed
        assert "fail" in failed.text
        await server.aclose()


async def test_one_connection_serves_many_at_once():
    async with running(stdio("stdio")) as server:
        hanging = asyncio.create_task(server.call(call("hang"), SPEAKER))
        results = await asyncio.gather(*(server.call(call("pid"), SPEAKER) for _ in range(10)))
        assert len({result.text for result in results}) == 1
        hanging.cancel()
        await asyncio.wait({hanging})
        assert hanging.cancelled()
        assert await server.call(call("add", '{"a": 1, "b": 1}'), SPEAKER) == ToolResult("2")


async def test_only_what_is_allowed():
    async with running(stdio("stdio", allow=("a*", "pid"))) as server:
        assert {spec.name for spec in await server.specs(SPEAKER)} == {"add", "pid"}


async def test_nonsense_between_the_messages_is_passed_over():
    async with running(stdio("stdio")) as server:
        assert await server.call(call("babble"), SPEAKER) == ToolResult("sorry")
        assert await server.call(call("add", '{"a": 1, "b": 1}'), SPEAKER) == ToolResult("2")


async def test_three_hundred_tools_come_in_pages():
    async with running(stdio("pages")) as server:
        names = [spec.name for spec in await server.specs(SPEAKER)]
        assert names == [f"tool_{number}" for number in range(300)]
        assert await server.call(call("tool_299"), SPEAKER) == ToolResult("tool_299")


async def test_a_server_that_dies_in_the_middle_fails_the_call_and_comes_back():
    async with running(stdio("stdio")) as server:
        first = await server.call(call("pid"), SPEAKER)
        with pytest.raises(NetworkError, match="may or may not have been done"):
            await server.call(call("die"), SPEAKER)
        async with asyncio.timeout(SLACK_S):
            await until_gone(server)
            assert list(await server.specs(SPEAKER)) == []
            with pytest.raises(ToolError, match="not there now"):
                await server.call(call("pid"), SPEAKER)
            await server.connected.wait()
        assert await server.call(call("pid"), SPEAKER) != first


async def test_a_server_that_is_killed_while_idle_is_missed_at_once():
    async with running(stdio("stdio")) as server:
        os.kill(int((await server.call(call("pid"), SPEAKER)).text), signal.SIGKILL)
        async with asyncio.timeout(SLACK_S):
            await until_gone(server)
            await server.connected.wait()
        assert await server.specs(SPEAKER)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (McpSettings(command="lumi-no-such-program"), "lumi-no-such-program"),
        (McpSettings(command=sys.executable, args=("-c", "pass")), "onnection closed"),
        (stdio("garbage"), "has not answered"),
        (McpSettings(url="http://127.0.0.1:1/mcp"), ""),
    ],
)
async def test_what_is_no_server_is_not_there(
    settings: McpSettings, said: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(mcp_servers, "CONNECT_S", 1.5)
    async with running(settings, wait=False) as server:
        await until_tried(server)
        assert said in await refusal(server)
        assert not server.connected.is_set()


async def refusal(server: McpServer) -> str:
    with pytest.raises(ToolError) as caught:
        await server.call(call("add"), SPEAKER)
    return str(caught.value)


async def until_tried(server: McpServer) -> None:
    for _ in range(400):
        if "yet" not in await refusal(server):
            return
        await asyncio.sleep(0.05)


async def until_gone(server: McpServer) -> None:
    for _ in range(400):
        if not server.connected.is_set():
            return
        await asyncio.sleep(0.02)


@asynccontextmanager
async def http_server(port: int) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(sys.executable, PROGRAM, "http", str(port))
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def over_http(port: int, token: str = "open sesame") -> McpSettings:
    return McpSettings(url=f"http://127.0.0.1:{port}/mcp", headers={"Authorization": f"Bearer {token}"})


async def test_a_server_at_an_address_goes_and_comes_back():
    port = free_port()
    async with running(over_http(port), wait=False) as server:
        for _ in range(2):  # it is not there at first, and dies in between
            async with http_server(port):
                async with asyncio.timeout(SLACK_S):
                    await server.connected.wait()
                assert await server.call(call("add", '{"a": 2, "b": 2}'), SPEAKER) == ToolResult("4")
                with pytest.raises((NetworkError, ToolError)):
                    await server.call(call("die"), SPEAKER)
            async with asyncio.timeout(SLACK_S):
                await until_gone(server)


async def test_a_wrong_token_is_said(monkeypatch: pytest.MonkeyPatch):
    port = free_port()
    async with http_server(port), running(over_http(port, "please"), wait=False) as server:
        await until_tried(server)
        assert not server.connected.is_set()


async def test_a_reason_that_stays_the_same_is_told_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mcp_servers, "LONGEST_WAIT_S", 0.01)
    reasons = ["no way"] * 5 + ["no power"] * 5
    done = asyncio.Event()

    class Away(McpServer):
        async def _live(self) -> None:
            if not reasons:
                done.set()
                await asyncio.Event().wait()
            raise ConnectionError(reasons.pop(0))

    with capture_logs() as lines:
        task = asyncio.create_task(Away("far", McpSettings(url="http://far/")).run())
        await asyncio.wait_for(done.wait(), SLACK_S)
        task.cancel()
        await asyncio.wait({task})
    told = [line for line in lines if line["log_level"] == "warning"]
    assert [(line["setting"], line["error"]) for line in told] == [
        ("mcp.far", "no way"),
        ("mcp.far", "no power"),
    ]
