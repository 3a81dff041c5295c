"""All links that are open now, and how the server takes its leave of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from lumi.protocol.messages import Abort, CloseCode, Goodbye
from lumi.server.line import Line
from lumi.server.log import Subject, logger

SWEEPS_PER_IDLE = 20
"""How often one idle time is looked at: nobody stays longer than 5 % beyond it."""

LONGEST_BETWEEN_SWEEPS_S = 5.0
"""So soon after a spoken goodbye the line is closed."""


class Lines:
    """Owns the set of lines. A client that sends nothing for `idle_s`, or its profile's own time, is let go."""

    def __init__(self, idle_s: float, of_profiles_s: Sequence[float] = ()) -> None:
        self._idle_s = idle_s
        self._sweep_s = 0.0
        self.renew(of_profiles_s)
        self._lines: set[Line] = set()
        self._draining = False
        self._gone = asyncio.Event()
        self._log = logger(Subject.WEBSOCKET)

    def __len__(self) -> int:
        return len(self._lines)

    def renew(self, of_profiles_s: Sequence[float]) -> None:
        """Profiles have other times now; lines are looked at as often as the shortest needs."""
        self._sweep_s = min(min([self._idle_s, *of_profiles_s]) / SWEEPS_PER_IDLE, LONGEST_BETWEEN_SWEEPS_S)

    def add(self, line: Line) -> None:
        self._lines.add(line)
        if self._draining:
            line.hang_up(CloseCode.GOING_AWAY, "server going away")

    def discard(self, line: Line) -> None:
        self._lines.discard(line)
        if not self._lines:
            self._gone.set()

    async def sweep(self) -> None:
        """For ever: hang up on clients that have been silent too long, after a spoken goodbye where it is heard."""
        while True:
            await asyncio.sleep(self._sweep_s)
            now = asyncio.get_running_loop().time()
            for line in [line for line in self._lines if line.idle(now, self._idle_s)]:
                if not line.takes_leave():
                    part(line, "idle", CloseCode.DONE)

    async def drain(self, within_s: float) -> None:
        """Say goodbye to everyone, and return when all links are closed, after `within_s` at the latest."""
        self._draining = True
        for line in list(self._lines):
            part(line, "server going away", CloseCode.GOING_AWAY, within_s=within_s)
        try:
            async with asyncio.timeout(within_s + 2.0):  # closing may take its second after the last frame
                while self._lines:
                    self._gone.clear()
                    await self._gone.wait()
        except TimeoutError:
            self._log.warning("links left over", links=len(self._lines))


def part(line: Line, reason: str, code: int, *, within_s: float = 1.0) -> None:
    """Say goodbye to one, and hang up."""
    if line.session is not None:
        if not line.session.kept:  # one that is kept waits as text
            line.session.abort(Abort(reason=reason))
        line.send(Goodbye(session_id=line.session.id, reason=reason))
    line.hang_up(code, reason, within_s=within_s)
