"""A line that breaks by plan: leads a client to a server in memory, and cuts each link where the plan says.

    proxy = FaultProxy(rehearsal.link, plan=lambda number: Cut(Way.UP, frame=3, lost=True))
    async with lumi.connect("ws://memory/", connector=proxy.connect) as client: …

`tcp_fault_proxy` does the same to real sockets, at any byte.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from lumi.errors import ConnectFailed, ConnectionLost
from lumi.testing.links import CuttableLink
from lumi.transport.base import Link, LinkInfo

Frame = str | bytes

REASON = "the line was cut"


class Way(StrEnum):
    """As the client sees it."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a link breaks: at frame `frame` (from 1) of one direction, counted at the client's end.

    Args:
        way: whose frames are counted.
        frame: which one it is.
        lost: it is lost with whatever else is on its way, in both directions. Otherwise it arrives (as does, for
            `Way.UP`, what was sent before it), and the line breaks right behind it.
        silent: nobody is told: from then on nothing arrives any more, in either direction, for as long as the link
            lives.
    """

    way: Way
    frame: int
    lost: bool
    silent: bool = False


def random_cut(chance: random.Random, *, frames: int, silent_share: float = 0.0) -> Cut:
    """A cut within the first `frames` frames of a direction."""
    return Cut(
        chance.choice(list(Way)),
        chance.randint(1, frames),
        lost=chance.random() < 0.5,
        silent=chance.random() < silent_share,
    )


class CutLink:
    """A client's end of a link, with at most one cut."""

    def __init__(
        self, link: CuttableLink, cut: Cut | None, on_cut: Callable[[], None], *, latency_s: float = 0.0
    ) -> None:
        self.frames = {Way.UP: 0, Way.DOWN: 0}
        """How many of each direction came to the client's end."""
        self._link = link
        self._cut = cut
        self._on_cut = on_cut
        self._latency_s = latency_s
        self._broken = False
        self._silent = False
        self._over = asyncio.Event()
        self._receiving: asyncio.Timeout | None = None
        self._closed = ConnectionLost(1006, REASON)

    @property
    def info(self) -> LinkInfo:
        return self._link.info

    async def send(self, frame: Frame) -> None:
        self._check()
        if self._silent:
            return
        due = self._due(Way.UP)
        if due is None or not due.lost:
            await self._link.send(frame)
        if due is not None:
            await self._break(due)
            if due.lost:
                self._check()

    async def receive(self) -> Frame:
        self._check()
        if self._silent:
            return await self._nothing()
        frame = await self._received()
        due = self._due(Way.DOWN)
        if due is not None:
            await self._break(due)
            if due.lost:
                self._check()
                return await self._nothing()
        elif self._latency_s:
            await asyncio.sleep(self._latency_s)
            self._check()
        return frame

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """A silent link carries no goodbye either: the server learns nothing."""
        self._closed = ConnectionLost(code, reason)
        self._over.set()
        if not self._silent:
            await self._link.close(code, reason)
        elif self._receiving is not None:
            self._receiving.reschedule(asyncio.get_running_loop().time())

    def cut(self) -> None:
        """Break it now, whatever the plan says; what is on its way is lost."""
        self._broken = True
        self._over.set()
        self._link.cut()

    async def _received(self) -> Frame:
        """The next frame, unless the line falls silent while we wait for it."""
        try:
            async with asyncio.timeout(None) as self._receiving:
                frame = await self._link.receive()
        except TimeoutError:
            return await self._nothing()  # closed at our end meanwhile
        finally:
            self._receiving = None
        return await self._nothing() if self._silent else frame

    async def _nothing(self) -> Frame:
        await self._over.wait()
        raise ConnectionLost(self._closed.code, self._closed.reason)

    def _due(self, way: Way) -> Cut | None:
        """Count a frame; the cut, if it is this one's."""
        self.frames[way] += 1
        cut = self._cut
        return cut if cut is not None and (cut.way, cut.frame) == (way, self.frames[way]) else None

    async def _break(self, cut: Cut) -> None:
        self._on_cut()
        if cut.silent:
            self._silent = True
            return
        self._broken = True
        if cut.lost or cut.way is Way.DOWN:
            self._link.cut()
        else:  # the server still reads what was sent before
            await self._link.close(1006, REASON)

    def _check(self) -> None:
        if self._broken:
            raise ConnectionLost(1006, REASON)


Plan = Callable[[int], Cut | None]
"""The cut of link number n, counted from 0; None: it lasts."""


class FaultProxy:
    """Opens links that break.

    Args:
        open_link: the client's end of a new link into the server; None while there is no server. May be set anew.
        plan: where each link breaks.
        latency_s: how long each frame to the client takes, one after the other. May be set anew.
    """

    def __init__(
        self,
        open_link: Callable[[], CuttableLink] | None,
        plan: Plan = lambda _number: None,
        *,
        latency_s: float = 0.0,
    ) -> None:
        self.open_link = open_link
        self.plan = plan
        self.latency_s = latency_s
        self.links: list[CutLink] = []
        self.cuts = 0
        """Links that broke as planned."""

    async def connect(self, url: str, *, headers: Mapping[str, str]) -> Link:
        """The connector to hand to `lumi.connect`."""
        del headers
        if self.open_link is None:
            raise ConnectFailed(f"nobody listens at {url}")
        link = CutLink(self.open_link(), self.plan(len(self.links)), self._count, latency_s=self.latency_s)
        self.links.append(link)
        return link

    def cut_all(self) -> None:
        """Break every link that there was, those that fell silent included: the server sees them end."""
        for link in self.links:
            link.cut()

    def _count(self) -> None:
        self.cuts += 1
