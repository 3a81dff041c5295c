"""The files of the web page and of the JavaScript SDK: all of `lumi/web`, each at its own path, read once at the start.

A file's name is looked up among those that were there at the start, so that no path leads anywhere else; what is served
does not change under a running server.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import web
from aiohttp.typedefs import Handler

INDEX = "index.html"
SAFETY = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
"""`no-cache`: kept by the browser, and asked about each time (a matching ETag costs a 304 without a body)."""

CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "webmanifest": "application/manifest+json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/x-icon",
    "txt": "text/plain; charset=utf-8",
}
OPEN_TO_ALL = "sdk/"
"""Below this other pages may load, too; whether they may connect is decided by their origin."""

COMPRESSED = frozenset({"html", "js", "css", "json", "webmanifest", "svg", "txt"})


@dataclass(frozen=True)
class WebFile:
    """One file as it is served."""

    body: bytes
    compressible: bool
    etag: str
    headers: dict[str, str]

    @cached_property
    def zipped(self) -> bytes:
        """Made when it is first asked for: a server starts more often than all of these are."""
        return gzip.compress(self.body, 9, mtime=0)

    def answer(self, request: web.Request) -> web.Response:
        """All of it, or 304 where the browser has it already."""
        if any(etag.value in {self.etag, "*"} for etag in request.if_none_match or ()):
            return web.Response(status=304, headers=self.headers)
        if self.compressible and "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=self.zipped, headers=self.headers | {"Content-Encoding": "gzip"})
        return web.Response(body=self.body, headers=self.headers)


def web_routes(root: Traversable | None = None) -> list[web.RouteDef]:
    """A route for each file below `root` (`lumi/web` if None); a folder's `index.html` also at the folder's own path."""
    top = root or files("lumi").joinpath("web")
    return [
        web.get(url, _serving(_load(name, file))) for name, file in _walk(top, "") for url in _addresses(name)
    ]


def content_security_policy(page: str) -> str:
    """Lets a page use what comes from where it came from, and its own inline script and style, known by their hashes."""
    hashes = {
        tag: "".join(
            f" 'sha256-{_sha256(body)}'" for body in re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        )
        for tag in ("script", "style")
    }
    return (
        f"default-src 'none'; script-src 'self'{hashes['script']}; style-src 'self'{hashes['style']}; "
        "connect-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; "
        "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif _ending(entry.name) in CONTENT_TYPES:
            yield prefix + entry.name, entry


def _addresses(name: str) -> list[str]:
    if name == INDEX:
        return ["/"]
    folder, _, file = name.rpartition("/")
    return [f"/{folder}", f"/{folder}/"] if file == INDEX else [f"/{name}"]


def _load(name: str, file: Traversable) -> WebFile:
    body, ending = file.read_bytes(), _ending(name)
    compressible = ending in COMPRESSED
    etag = hashlib.sha256(body).hexdigest()[:20]
    page = body.decode() if ending == "html" else ""
    headers = SAFETY | {
        "Content-Type": CONTENT_TYPES[ending],
        "Content-Security-Policy": content_security_policy(page),
        "ETag": f'"{etag}"',
    }
    if name.startswith(OPEN_TO_ALL):
        headers["Access-Control-Allow-Origin"] = "*"
    if compressible:
        headers["Vary"] = "Accept-Encoding"
    return WebFile(body, compressible, etag, headers)


def _serving(file: WebFile) -> Handler:
    async def serve(request: web.Request) -> web.Response:
        return file.answer(request)

    return serve


def _ending(name: str) -> str:
    return name.rpartition(".")[2]


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
