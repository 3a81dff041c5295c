"""Tools of other programs, over the Model Context Protocol: one connection to each server, for all sessions.

    connecting ──▶ there ──▶ lost ──▶ waiting, longer each time ──▶ connecting

Nobody waits for a server: while it is not there its tools are not offered.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import structlog

from lumi.engines.base import Speaker, ToolCall, ToolResult, ToolSpec
from lumi.errors import NetworkError, ToolError
from lumi.tools.permissions import ANY, fits

if TYPE_CHECKING:
    from mcp import Client
    from mcp.client._transport import Transport, TransportStreams
    from mcp.types import CallToolResult, Tool

CONNECT_S = 30.0
"""Also a program that has to be fetched and compiled first has said hello by then."""
REFRESH_S = 300.0
"""How often a server is asked anew what it has; one that does not answer is taken to be lost."""
LIST_S = 30.0
MOST_PAGES = 100
LONGEST_WAIT_S = 60.0
STEADY_S = 60.0
"""Whoever was there so long is tried again at once when it is lost."""

log = structlog.get_logger("lumi.tools")


@dataclass(frozen=True, slots=True)
class McpSettings:
    """A program that is started here and spoken to over its standard input and output, or an address (streamable HTTP)."""

    command: str = ""
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    allow: Sequence[str] = ANY


class McpServer:
    """The `Tools` of one server. `run` keeps up the connection, until cancelled."""

    def __init__(self, name: str, settings: McpSettings, *, refresh_s: float = REFRESH_S) -> None:
        self.name = name
        self.timeout_s = settings.timeout_s
        self._settings = settings
        self._refresh_s = refresh_s
        self._client: Client | None = None
        self._specs: Sequence[ToolSpec] = ()
        self._trouble = "it has not answered yet"
        self._told = ""
        """The trouble that was told of last; empty again when it is over."""
        self.connected = asyncio.Event()

    async def specs(self, speaker: Speaker) -> Sequence[ToolSpec]:
        del speaker
        return self._specs

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        """Call a tool of the server.

        Raises:
            ToolError: the server is not there, or refuses the call.
            NetworkError: it was lost, or talked nonsense, while it was at it.
        """
        del speaker
        client = self._client
        if client is None:
            raise ToolError(call.name, f"the tool server {self.name} is not there now ({self._trouble})")
        from mcp import MCPError
        from mcp.types import CONNECTION_CLOSED

        try:
            result = await client.call_tool(call.name, json.loads(call.arguments or "{}"))
        except MCPError as error:
            if error.code != CONNECTION_CLOSED:
                raise ToolError(call.name, error.message) from error
            raise NetworkError(self._lost("was lost")) from error
        except ValueError as error:  # pydantic's: an answer that is none
            raise NetworkError(self._lost("answered what is no answer")) from error
        return ToolResult(_text(result), failed=result.is_error)

    async def aclose(self) -> None:
        """The connection belongs to `run`."""

    def _lost(self, how: str) -> str:
        return f"the tool server {self.name} {how} while it was at it; it may or may not have been done"

    async def run(self) -> None:
        """Connect, and connect again. A program of somebody else's may fail in any way."""
        clock, failures = asyncio.get_running_loop().time, 0
        while True:
            began = clock()
            try:
                await self._live()
            except Exception as error:  # noqa: BLE001 - one of the places where foreign code runs; it is said below
                self._trouble = self._reason(error)
            finally:
                self._client, self._specs = None, ()
                self.connected.clear()
            failures = 0 if clock() - began > STEADY_S else failures + 1
            wait_s = min(LONGEST_WAIT_S, 2.0**failures / 2)
            self._say_lost(wait_s)
            await asyncio.sleep(wait_s)

    def _say_lost(self, wait_s: float) -> None:
        """A reason that stays the same is told once."""
        tell = log.debug if self._trouble == self._told else log.warning
        self._told = self._trouble
        setting = f"mcp.{self.name}"
        tell("tool server lost", server=self.name, setting=setting, error=self._trouble, again_in_s=wait_s)

    def _reason(self, error: BaseException) -> str:
        """One line; of a group, of its first."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, ModuleNotFoundError) and error.name == "mcp":
            return "it needs the package mcp; install it with: pip install 'lumi-assistant[mcp]'"
        if isinstance(error, FileNotFoundError) and not self._settings.url:
            return f"there is no program {self._settings.command!r}; install it, or give its whole path"
        if isinstance(error, TimeoutError):
            return f"it has not answered within {CONNECT_S:g} s"
        return (str(error) or type(error).__name__).splitlines()[0][:300]

    async def _live(self) -> None:
        """One connection, from hello to its end. Raises when it is lost."""
        await asyncio.to_thread(importlib.import_module, "mcp")  # takes a while, and nobody shall wait for it
        ended, changed = asyncio.Event(), asyncio.Event()
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(CONNECT_S):
                client = await self._connect(stack, ended, changed)
                await self._list(client)
            self._client, self._told = client, ""
            self.connected.set()
            log.info("tool server there", server=self.name, tools=len(self._specs))
            while True:
                await _first_of(ended, changed, timeout_s=self._refresh_s)
                if ended.is_set():
                    raise ConnectionError("it ended")
                changed.clear()
                await self._list(client)

    async def _connect(self, stack: AsyncExitStack, ended: asyncio.Event, changed: asyncio.Event) -> Client:
        from mcp import Client
        from mcp.types import ToolListChangedNotification

        async def noticed(message: Any) -> None:
            if isinstance(message, ToolListChangedNotification):
                changed.set()

        transport = await self._transport(stack)
        return await stack.enter_async_context(
            Client(_watched(transport, ended), message_handler=noticed, cache=None)
        )

    async def _transport(self, stack: AsyncExitStack) -> Transport:
        settings = self._settings
        if settings.url:
            import httpx2
            from mcp.client.streamable_http import streamable_http_client

            timeout = httpx2.Timeout(CONNECT_S, read=None)  # how long a tool may take is not decided here
            client = await stack.enter_async_context(
                httpx2.AsyncClient(headers=dict(settings.headers), timeout=timeout)
            )
            return streamable_http_client(settings.url, http_client=client)
        from mcp.client.stdio import StdioServerParameters, stdio_client

        return stdio_client(
            StdioServerParameters(
                command=settings.command,
                args=list(settings.args),
                env=dict(settings.env),
                encoding_error_handler="replace",
            )
        )

    async def _list(self, client: Client) -> None:
        """All pages of what there is."""
        tools: list[Tool] = []
        cursor: str | None = None
        async with asyncio.timeout(LIST_S):
            for _ in range(MOST_PAGES):
                page = await client.list_tools(cursor=cursor)
                tools += page.tools
                cursor = page.next_cursor
                if not cursor:
                    break
        self._specs = [_spec(tool) for tool in tools if fits(tool.name, self._settings.allow)]


def _spec(tool: Tool) -> ToolSpec:
    notes = tool.annotations
    title = tool.title or (notes.title if notes else None) or ""
    read_only = bool(notes and notes.read_only_hint)
    return ToolSpec(
        tool.name,
        tool.description or title,
        tool.input_schema,
        confirm=bool(notes and notes.destructive_hint) and not read_only,
        read_only=read_only,
        title=title,
    )


def _text(result: CallToolResult) -> str:
    """What a model can read of a result; of pictures and sound, that there are some."""
    parts = []
    for block in result.content:
        text = getattr(block, "text", None) or getattr(getattr(block, "resource", None), "text", None)
        parts.append(text if isinstance(text, str) else f"[{block.type}]")
    if not parts and result.structured_content is not None:
        parts = [json.dumps(result.structured_content, ensure_ascii=False)]
    return "\n".join(parts) or "done"


async def _first_of(*events: asyncio.Event, timeout_s: float) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)


@asynccontextmanager
async def _watched(transport: Transport, ended: asyncio.Event) -> AsyncGenerator[TransportStreams, None]:
    """A transport that says when its other end has gone: the library tells only those who ask something."""
    async with transport as (read, write):
        yield _Watched(read, ended), write


class _Watched:
    """A stream that sets `ended` when nothing comes any more."""

    def __init__(self, stream: Any, ended: asyncio.Event) -> None:
        self._stream = stream
        self._ended = ended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def receive(self) -> Any:
        try:
            return await self._stream.receive()
        except BaseException:
            self._ended.set()
            raise

    def __aiter__(self) -> _Watched:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._stream.__anext__()
        except BaseException:
            self._ended.set()
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> bool | None:
        ended: bool | None = await self._stream.__aexit__(*error)
        return ended
