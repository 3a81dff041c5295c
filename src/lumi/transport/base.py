"""The seam: a link carries `str` (a text frame) and `bytes` (a binary frame), in order, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LinkInfo:
    """What the upgrade request said of the peer.

    `headers` and `query` have lower-case names. `remote` is the peer's address, for logs and limits.
    """

    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    remote: str = ""


class Link(Protocol):
    """One open connection, seen from either end.

    `receive` returns the next frame and raises `lumi.errors.ConnectionLost` (with close code and reason) when
    there will be no more. `send` waits while the peer reads too slowly and raises `ConnectionLost` when closed.
    `close` may be called by anyone, more than once; it returns when the peer has answered or a second has passed.
    """

    @property
    def info(self) -> LinkInfo: ...

    async def receive(self) -> str | bytes: ...

    async def send(self, frame: str | bytes) -> None: ...

    async def close(self, code: int = 1000, reason: str = "") -> None: ...
