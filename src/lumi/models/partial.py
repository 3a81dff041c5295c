"""A file on its way: what of it is here, and of which version it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec
from aiohttp import ClientResponse

READ_BYTES = 1 << 20


class Version(msgspec.Struct, frozen=True):
    """Which version of a file a part is of; as the server named it."""

    validator: str
    total_bytes: int | None = None


class Part:
    """The part of `target` that is here, as a context manager: leaving it keeps the part for the next time.

    Attributes:
        size_bytes: what is here.
        total_bytes: of the whole file; None where the server did not say.
        sha256: of what is here, in hexadecimal digits.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(target.name + ".part")
        self._note = target.with_name(target.name + ".part.json")
        self._version: Version | None = None
        self._file: IO[bytes]
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        self.total_bytes: int | None = None

    @property
    def name(self) -> str:
        return self._target.name

    @property
    def folder(self) -> Path:
        return self._target.parent

    @property
    def is_whole(self) -> bool:
        """All of it is here."""
        return self.size_bytes == self.total_bytes

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._version = self._noted()
        self._file = self._path.open("ab")
        if self._version is None:
            self.restart()
        else:
            self._take_stock()
            self.total_bytes = self._version.total_bytes
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def asking(self) -> Mapping[str, str]:
        """Headers that ask for the rest, if it is still of the same version."""
        if not self.size_bytes or self._version is None:
            return {}
        return {"Range": f"bytes={self.size_bytes}-", "If-Range": self._version.validator}

    def receive(self, response: ClientResponse) -> bool:
        """Make ready for what this response brings: the rest, or all of it again. False: neither of them."""
        begins, total = _extent(response)
        if begins != self.size_bytes or begins == 0:
            self.restart()
        if begins not in {0, self.size_bytes}:
            return False
        self.total_bytes = total
        self._version = _version(response, total)
        if self._version:
            self._note.write_bytes(msgspec.json.encode(self._version))
        return True

    def ended(self) -> None:
        """The response came to its end: where nobody had said how long it would be, this is all."""
        if self.total_bytes is None:
            self.total_bytes = self.size_bytes

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._hash.update(piece)
        self.size_bytes += len(piece)

    def restart(self) -> None:
        """Forget what had come."""
        self._file.seek(0)
        self._file.truncate()
        self._note.unlink(missing_ok=True)
        self._hash = hashlib.sha256()
        self._version, self.size_bytes, self.total_bytes = None, 0, None

    def discard(self) -> None:
        """Leave nothing of it."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def complete(self) -> None:
        """Give it its name; nobody ever sees half of it under that."""
        self._file.close()
        self._path.replace(self._target)
        self._note.unlink(missing_ok=True)

    def _noted(self) -> Version | None:
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=Version)
        except (OSError, msgspec.DecodeError):
            return None

    def _take_stock(self) -> None:
        """The hash of what is here already."""
        with self._path.open("rb") as file:
            while piece := file.read(READ_BYTES):
                self._hash.update(piece)
                self.size_bytes += len(piece)


def _extent(response: ClientResponse) -> tuple[int, int | None]:
    """Where in the file this response begins, and how long the file is."""
    if response.status == 206:
        what, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        first = what.partition("-")[0]
        return (int(first) if first.isdigit() else -1), (int(total) if total.isdigit() else None)
    return 0, response.content_length


def _version(response: ClientResponse, total: int | None) -> Version | None:
    """None where the server gives nothing by which a version can be told: then there is no going on later."""
    etag = response.headers.get("ETag", "")
    strong = etag if not etag.startswith("W/") else ""
    validator = strong or response.headers.get("Last-Modified", "")
    return Version(validator, total) if validator else None
