"""How long each stage of a turn took to its first result."""

from __future__ import annotations

import asyncio

from lumi.voice.events import Stage


class StageClock:
    """When each stage gave its first result, counted from the end of the user's words."""

    def __init__(self) -> None:
        self._started_at: float | None = None
        self.stages_ms: dict[str, float] = {}

    def start(self, at: float | None = None) -> None:
        self._started_at = asyncio.get_running_loop().time() if at is None else at

    def reached(self, stage: Stage) -> None:
        if self._started_at is not None and stage not in self.stages_ms:
            elapsed_s = asyncio.get_running_loop().time() - self._started_at
            self.stages_ms[stage] = round(elapsed_s * 1000, 1)
