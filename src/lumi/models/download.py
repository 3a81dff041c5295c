"""Fetches one file over HTTP: goes on where it was broken off, and keeps nothing that is not what it should be.

What has come lies in `NAME.part`, with `NAME.part.json` beside it, which says of which version of the file it is. A
part of another version, or of a server that cannot continue, is thrown away.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from lumi.errors import ModelError
from lumi.models.partial import Part
from lumi.models.retrying import WAITS_S, wait_s

PIECE_BYTES = 1 << 16
SPARE_BYTES = 64 << 20
"""Left free on the disk, for everybody else."""
NOT_SATISFIABLE = 416


@dataclass(frozen=True, slots=True)
class Source:
    """What to fetch, and what is known of it beforehand."""

    url: str
    size_bytes: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is here, whole."""

    path: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file is."""

    name: str
    done_bytes: int
    total_bytes: int | None


OnProgress = Callable[[Progress], None]


def no_progress(_: Progress) -> None:
    """Tells nobody."""


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with a server, in seconds."""

    waits_s: tuple[float, ...] = WAITS_S
    connect_s: float = 30.0
    silence_s: float = 60.0
    """A line that brings nothing for so long is taken for broken."""


class Failure(Exception):
    """One try that failed: what the person would be told, and what the policy needs to know."""

    def __init__(self, text: str, status: int | None = None, retry_after: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.retry_after = retry_after


@dataclass(slots=True)
class Downloader:
    """Fetches files, one after the other: `async with Downloader() as downloader`.

    Proxies are taken from the environment (`HTTPS_PROXY` …).
    """

    patience: Patience = field(default_factory=Patience)
    free_bytes: Callable[[Path], int] = free_bytes
    _session: aiohttp.ClientSession = field(init=False)

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self.patience.connect_s, sock_read=self.patience.silence_s
        )
        self._session = aiohttp.ClientSession(timeout=timeout, trust_env=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def fetch(self, source: Source, target: Path, on_progress: OnProgress = no_progress) -> Fetched:
        """Have the file at `target`; one that is there already, and right, is not fetched again.

        Raises:
            ModelError: it cannot be had, does not fit on the disk, or is not what it should be. What had come before
                the line broke is kept for the next call.
        """
        try:
            here = _present(source, target)
            if here is not None:
                return here
            with Part(target) as part:
                await self._insist(source, part, on_progress)
                return self._checked(source, part, target)
        except OSError as error:
            raise ModelError(f"{target}: cannot be written ({error.strerror or error})") from error

    async def _insist(self, source: Source, part: Part, on_progress: OnProgress) -> None:
        """Try until the part is whole, or the policy gives up."""
        failures = 0
        while not part.is_whole:
            before = part.size_bytes
            try:
                await self._try(source, part, on_progress)
            except Failure as failure:
                failures = failures + 1 if part.size_bytes <= before else 1
                pause_s = wait_s(failures, failure.status, failure.retry_after, self.patience.waits_s)
                if pause_s is None:
                    raise ModelError(f"{source.url}: {failure}") from failure
                await asyncio.sleep(pause_s)

    async def _try(self, source: Source, part: Part, on_progress: OnProgress) -> None:
        """Ask once, from where we are; raises `Failure` where the file did not come to its end."""
        headers = {"Accept-Encoding": "identity", **part.asking()}
        try:
            async with self._session.get(source.url, headers=headers) as response:
                if response.status == NOT_SATISFIABLE:
                    part.restart()
                    raise Failure("the server's file is shorter than what had come of it")
                _accept(response, source)
                if not part.receive(response):
                    raise Failure("the server continued somewhere else than it was asked to")
                self._check_room(part, source)
                async for piece in response.content.iter_chunked(PIECE_BYTES):
                    part.write(piece)
                    on_progress(Progress(part.name, part.size_bytes, part.total_bytes))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Failure(
                f"the connection failed ({error or type(error).__name__}); check the network, then run it again: "
                "it goes on where it stopped"
            ) from error
        part.ended()
        if not part.is_whole:
            raise Failure("the connection broke off; run it again: it goes on where it stopped")

    def _check_room(self, part: Part, source: Source) -> None:
        total = part.total_bytes
        if source.size_bytes is not None and total not in {None, source.size_bytes}:
            part.discard()
            raise ModelError(
                f"{source.url}: the server offers {total} bytes, the catalogue says {source.size_bytes}: it is "
                "another file by now; update Lumi, or fetch it by hand and name its folder in the setting model"
            )
        missing = (total or source.size_bytes or 0) - part.size_bytes
        free = self.free_bytes(part.folder)
        if missing + SPARE_BYTES > free:
            raise ModelError(
                f"{part.name} needs {missing / 1e6:.0f} MB more, and {part.folder} has {free / 1e6:.0f} MB free: "
                "make room, or choose another place with LUMI_DATA_DIR"
            )

    @staticmethod
    def _checked(source: Source, part: Part, target: Path) -> Fetched:
        size, digest = part.size_bytes, part.sha256
        wrong = ""
        if source.size_bytes not in {None, size}:
            wrong = f"has {size} bytes where {source.size_bytes} were expected"
        elif source.sha256 not in {"", digest}:
            wrong = f"has the SHA-256 {digest} where {source.sha256} was expected"
        if wrong:
            part.discard()
            raise ModelError(
                f"{source.url}: what came {wrong}. It was changed or damaged on the way, and is not kept; try again, "
                "and if it stays so, do not use it"
            )
        part.complete()
        return Fetched(target, size, digest)


def _present(source: Source, target: Path) -> Fetched | None:
    """The file, if it came in an earlier call and is what it should be."""
    if not target.is_file():
        return None
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = target.stat().st_size
    right = source.size_bytes in {None, size} and source.sha256 in {"", digest}
    return Fetched(target, size, digest) if right else None


def _accept(response: aiohttp.ClientResponse, source: Source) -> None:
    """Raises `Failure` unless a file comes, and that as safely as it was asked for."""
    if source.url.startswith("https:") and response.url.scheme != "https":
        raise ModelError(
            f"{source.url}: leads to {response.url.origin()}, which is not encrypted; not followed"
        )
    if response.status not in {200, 206}:
        gone = " (it was moved or removed; update Lumi)" if response.status in {404, 410} else ""
        raise Failure(
            f"the server answered {response.status} {response.reason}{gone}",
            response.status,
            response.headers.get("Retry-After", ""),
        )
