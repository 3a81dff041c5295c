"""A link that fails on purpose: wraps any other, and cuts, delays or loses frames by plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lumi.errors import ConnectionLost
from lumi.transport.base import Link, LinkInfo

Frame = str | bytes


@dataclass(frozen=True, slots=True)
class Faults:
    """What shall go wrong. The numbers count frames of one direction, from 1.

    `cut_after_sent=3` lets three frames out, and the connection is lost when the fourth is sent. `lose_sent(number,
    frame)` and `lose_received` say whether a frame vanishes on its way.
    """

    cut_after_sent: int | None = None
    cut_after_received: int | None = None
    send_delay_s: float = 0.0
    receive_delay_s: float = 0.0
    lose_sent: Callable[[int, Frame], bool] | None = None
    lose_received: Callable[[int, Frame], bool] | None = None


class CuttableLink(Link, Protocol):
    """Every link of ours can be cut."""

    def cut(self) -> None: ...


class FaultyLink:
    """A link with faults; to its user an ordinary one."""

    def __init__(self, link: CuttableLink, faults: Faults | None = None) -> None:
        self._link = link
        self._faults = faults or Faults()
        self._cut: ConnectionLost | None = None
        self._sending = asyncio.Lock()
        self.sent = 0
        self.received = 0

    @property
    def info(self) -> LinkInfo:
        return self._link.info

    async def send(self, frame: Frame) -> None:
        self._raise_if_cut()
        if self.sent == self._faults.cut_after_sent:
            self.cut()
            self._raise_if_cut()
        self.sent += 1
        number = self.sent
        async with self._sending:  # a delay must not change the order
            if self._faults.send_delay_s:
                await asyncio.sleep(self._faults.send_delay_s)
            if self._faults.lose_sent is None or not self._faults.lose_sent(number, frame):
                await self._link.send(frame)

    async def receive(self) -> Frame:
        while True:
            self._raise_if_cut()
            if self.received == self._faults.cut_after_received:
                self.cut()
                self._raise_if_cut()
            frame = await self._link.receive()
            self.received += 1
            if self._faults.receive_delay_s:
                await asyncio.sleep(self._faults.receive_delay_s)
            if self._faults.lose_received is None or not self._faults.lose_received(self.received, frame):
                return frame

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._link.close(code, reason)

    def cut(self) -> None:
        """Lose the connection now, as a broken wire does: both ends see 1006."""
        self._cut = ConnectionLost(1006, "the line was cut")
        self._link.cut()

    def _raise_if_cut(self) -> None:
        if self._cut is not None:
            raise ConnectionLost(self._cut.code, self._cut.reason)
