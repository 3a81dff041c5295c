"""A file server on a real socket, which misbehaves as it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class FileServer:
    """Serves `files` by path, with ranges and ETags.

    Attributes:
        breaks: after how many bytes each of the next answers breaks off; None: it does not.
        statuses: what the next requests are answered with instead of the file.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    version: str = '"1"'
    ranges: bool = True
    tells_length: bool = True
    breaks: list[int | None] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    shift: int = 0
    retry_after: str = "0"
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        wished = request.headers.get("Range", "")
        self.requests.append((request.path, wished))
        if self.statuses:
            return web.Response(status=self.statuses.pop(0), headers={"Retry-After": self.retry_after})
        content = self.files.get(request.path)
        if content is None:
            return web.Response(status=404)
        return await self.send(request, content, wished)

    async def send(self, request: web.Request, content: bytes, wished: str) -> web.StreamResponse:
        start = 0
        same = request.headers.get("If-Range", self.version) == self.version
        if wished and self.ranges and same:
            start = int(wished.removeprefix("bytes=").removesuffix("-")) + self.shift
        if start and start >= len(content):
            return web.Response(status=416)
        body = content[start:]
        headers = {"ETag": self.version} if self.version else {}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if self.tells_length:
            headers["Content-Length"] = str(len(body))
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        await response.prepare(request)
        cut = self.breaks.pop(0) if self.breaks else None
        await response.write(body[:cut])
        if cut is not None:
            assert request.transport
            request.transport.close()
        return response


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FileServer]:
    files = FileServer()
    application = web.Application()
    application.router.add_get("/{path:.*}", files.answer)
    async with TestServer(application) as listening:
        files.url = str(listening.make_url("")).rstrip("/")
        yield files
