"""How the engines are, for the log, for `GET /metrics` and for `GET /healthz`; brings those back that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from lumi.engines.roster import CameBack, Failed, News, Report, Roster, TookOver
from lumi.server.log import Subject, logger
from lumi.server.metrics import Metrics

log = logger(Subject.ENGINE)


LOOK_EVERY_S = 1.0
"""How often it is looked for lists of engines that came or went."""

DUPLEX = "duplex"

Rosters = Callable[[], Sequence[Roster[Any]]]


class EngineHealth:
    """Knows how the engines are; `tell` is told what happens to them.

    Args:
        rosters: all lists of engines in use; settings that are read anew change them.
    """

    def __init__(self, metrics: Metrics, rosters: Rosters) -> None:
        self._metrics = metrics
        self._rosters = rosters
        metrics.engines(self._reports)

    def tell(self, news: News) -> None:
        match news:
            case Failed(kind=kind, name=name, error=error):
                self._metrics.engine_failures.labels(kind, name, error.trouble.value).inc()
                log.warning(
                    "engine failed",
                    kind=kind,
                    engine=name,
                    setting=news.setting,
                    trouble=error.trouble.value,
                    error=str(error),
                    asked_again="later" if news.opened else "next time",
                )
            case TookOver(kind=kind, name=name):
                self._metrics.engine_fallbacks.labels(kind, name).inc()
                log.debug("engine took over", kind=kind, engine=name)
            case CameBack(kind=kind, name=name):
                log.info("engine works again", kind=kind, engine=name)

    @property
    def broken(self) -> str:
        """Empty while some engine of each list works, else which has none, and why.

        A realtime model has the engines of the other kinds behind it.
        """
        lists = [(roster.kind, roster.report()) for roster in self._rosters() if roster.kind != DUPLEX]
        return "; ".join(
            f"no {kind} engine works ({', '.join(_why(report) for report in reports)})"
            for kind, reports in lists
            if not any(report.works for report in reports)
        )

    @property
    def replaced(self) -> tuple[str, ...]:
        """Of each list whose first engine does not work, why, and who stands in for it."""
        found = []
        for roster in self._rosters():
            first, *others = roster.report()
            stand_in = next((one.name for one in others if one.works), None)
            if stand_in is not None and not first.works:
                found.append(f"{first.setting}: {roster.members[0].problem}; {stand_in} takes its place")
        return tuple(found)

    def report(self) -> dict[str, list[dict[str, Any]]]:
        """By kind, in the order in which they are asked: name, state, last trouble, and when it is tried again."""
        found: dict[str, list[dict[str, Any]]] = {}
        for one in self._reports():
            said = {"name": one.name, "state": one.state, "last_trouble": one.trouble, "retry_s": one.retry_s}
            found.setdefault(one.kind, []).append(said)
        return found

    async def probe(self) -> None:
        """For ever: ask those that failed whether they work again."""
        watched: dict[Roster[Any], asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as probing:
            while True:
                rosters = self._rosters()
                for gone in [roster for roster in watched if roster not in rosters]:
                    watched.pop(gone).cancel()
                for roster in rosters:
                    if roster not in watched:
                        watched[roster] = probing.create_task(roster.watch(), name=f"probe {roster.kind}")
                await asyncio.sleep(LOOK_EVERY_S)

    def _reports(self) -> list[Report]:
        return [report for roster in self._rosters() for report in roster.report()]


def _why(report: Report) -> str:
    return f"{report.name}: {report.trouble or report.state}"
