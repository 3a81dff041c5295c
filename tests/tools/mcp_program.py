"""A tool server written with the official SDK, run by the tests: `stdio`, `http PORT`, `pages`, `garbage`, `silent`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import mcp.types as types
from mcp.server import Server
from mcp.server.mcpserver import MCPServer
from mcp.server.stdio import stdio_server

TOKEN = b"Bearer open sesame"


def everything() -> MCPServer:
    server = MCPServer("house")

    @server.tool(annotations=types.ToolAnnotations(read_only_hint=True))
    def add(a: int, b: int) -> str:
        """Add two numbers."""
        return str(a + b)

    @server.tool(title="unlock the door", annotations=types.ToolAnnotations(destructive_hint=True))
    def unlock(door: str) -> str:
        """Unlock a door."""
        return f"{door} is open"

    @server.tool()
    def die() -> str:
        """Die in the middle."""
        os._exit(3)

    @server.tool()
    async def hang() -> str:
        """Never answer."""
        await anyio.sleep_forever()
        return ""

    @server.tool()
    def fail() -> str:
        """Fail."""
        raise ValueError("no power")

    @server.tool()
    def babble() -> str:
        """Write what is no message between the messages."""
        sys.stdout.buffer.write(b"\xff\xfe not a message\n{}\n")
        sys.stdout.buffer.flush()
        return "sorry"

    @server.tool()
    def pid() -> str:
        """Tell which process this is."""
        return str(os.getpid())

    return server


def many() -> Server[Any]:
    async def page(_: Any, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        start = int((params and params.cursor) or 0)
        tools = [
            types.Tool(name=f"tool_{number}", input_schema={"type": "object"})
            for number in range(start, min(start + 70, 300))
        ]
        return types.ListToolsResult(tools=tools, next_cursor=str(start + 70) if start + 70 < 300 else None)

    async def call(_: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        return types.CallToolResult(content=[types.TextContent(type="text", text=params.name)])

    return Server("many", on_list_tools=page, on_call_tool=call)


async def serve_many() -> None:
    server = many()
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def serve_http(port: int) -> None:
    import uvicorn

    app = everything().streamable_http_app()

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"authorization") != TOKEN:
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"who are you?"})
            return
        await app(scope, receive, send)

    uvicorn.run(guarded, port=port, log_level="error")


def main(mode: str, *arguments: str) -> None:
    if mode == "http":
        serve_http(int(arguments[0]))
    elif mode == "pages":
        anyio.run(serve_many)
    elif mode == "garbage":
        sys.stdout.write("I am no tool server.\n")
        sys.stdout.flush()
        time.sleep(60)
    elif mode == "once":
        marker = Path(arguments[0])
        if marker.exists():
            sys.exit(1)
        marker.touch()
        everything().run()
    else:
        everything().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
