"""What the operator's view shows, gathered while the server runs: turns, load, problems; all of it bounded, none on disk."""

from __future__ import annotations

from collections.abc import Callable, Sized

from lumi.server.load_history import LoadHistory
from lumi.server.problems import Problems
from lumi.server.services import Services
from lumi.server.turn_history import TurnHistory


class Observation:
    """Made before the parts that it watches.

    Attributes:
        turns: the last ones.
        problems: of the log.
        load: from `watch` on.
    """

    load: LoadHistory

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        self._wall_clock = wall_clock
        self.started_at = wall_clock()
        self.turns = TurnHistory(wall_clock)
        self.problems = Problems()

    @property
    def now(self) -> float:
        """UNIX seconds."""
        return self._wall_clock()

    def watch(self, services: Services, sessions: Sized, links: Sized) -> None:
        """Say where the numbers come from."""
        self.load = LoadHistory(
            self.turns,
            self._wall_clock,
            sessions=lambda: len(sessions),
            links=lambda: len(links),
            late_frames=lambda: services.pacer.stats.late_frames,
        )

    async def run(self) -> None:
        """For ever: watch."""
        with self.problems.watching():
            await self.load.run()
