import asyncio
from typing import Any

import pytest
from tests.server.doubles import counted

from lumi.engines.roster import CameBack, Failed, Member, Roster, TookOver
from lumi.errors import EngineError, Trouble
from lumi.server.engine_health import EngineHealth
from lumi.server.metrics import Metrics
from lumi.testing.engines import ScriptedLlm

AWAY = EngineError("far", "connection refused", trouble=Trouble.UNREACHABLE)


class Probed(ScriptedLlm):
    probes = 0

    async def probe(self) -> None:
        Probed.probes += 1


class Stage:
    def __init__(self, *engines: Any) -> None:
        self.metrics = Metrics()
        self.rosters: list[Roster[Any]] = []
        self.health = EngineHealth(self.metrics, lambda: self.rosters)
        members = [Member(name, f"llm.{name}", engine) for name, engine in zip("ab", engines, strict=False)]
        self.rosters.append(Roster("llm", members, slow_s=4, tell=self.health.tell))

    def fail(self, *errors: EngineError) -> None:
        for attempt, error in zip(self.rosters[0].attempts(), errors, strict=False):
            with attempt:
                raise error


async def test_what_happens_is_counted_and_logged_with_the_setting(
    caplog: pytest.LogCaptureFixture,
):
    stage = Stage(ScriptedLlm(), ScriptedLlm())
    stage.health.tell(Failed("llm", "far", "llm.engine", AWAY, opened=True))
    stage.health.tell(TookOver("llm", "near"))
    stage.health.tell(CameBack("llm", "far"))
    assert counted(
        stage.metrics,
        'lumi_engine_failures_total{engine="far",kind="llm",trouble="unreachable"} 1.0',
    )
    assert counted(stage.metrics, 'lumi_engine_fallbacks_total{engine="near",kind="llm"} 1.0')
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    for word in ("far", "llm.engine", "unreachable", "connection refused"):
        assert word in warning


async def test_who_stands_in_is_named_while_it_does():
    stage = Stage(ScriptedLlm(), ScriptedLlm())
    assert not stage.health.replaced
    stage.fail(AWAY)
    assert stage.health.replaced == ("llm.a: far: connection refused; b takes its place",)
    stage.fail(AWAY, AWAY)
    assert not stage.health.replaced, "nobody does"


async def test_how_they_are_is_shown():
    stage = Stage(ScriptedLlm(), ScriptedLlm())
    stage.fail(AWAY)
    assert stage.health.report() == {
        "llm": [
            {"name": "a", "state": "open", "last_trouble": "unreachable", "retry_s": 5.0},
            {"name": "b", "state": "closed", "last_trouble": None, "retry_s": 0.0},
        ]
    }
    assert stage.health.broken == ""
    assert counted(stage.metrics, 'lumi_engine_up{engine="a",kind="llm"} 0.0')
    assert counted(stage.metrics, 'lumi_engine_up{engine="b",kind="llm"} 1.0')
    for name, state, here in (("a", "open", 1.0), ("a", "closed", 0.0), ("b", "closed", 1.0)):
        assert counted(
            stage.metrics, f'lumi_engine_circuit{{engine="{name}",kind="llm",state="{state}"}} {here}'
        )


async def test_a_kind_of_which_none_works_is_named():
    stage = Stage(ScriptedLlm(), ScriptedLlm())
    stage.fail(AWAY, AWAY)
    assert stage.health.broken == "no llm engine works (a: unreachable, b: unreachable)"
    await asyncio.sleep(5)
    assert stage.health.broken == ""


async def test_lists_that_come_and_go_are_probed_while_they_are_there():
    stage = Stage(Probed(), ScriptedLlm())
    (roster,) = stage.rosters
    stage.rosters.clear()
    task = asyncio.create_task(stage.health.probe())
    await asyncio.sleep(2)
    stage.rosters.append(roster)
    await asyncio.sleep(2)
    stage.fail(AWAY)
    await asyncio.sleep(6)
    assert Probed.probes == 1
    assert stage.health.report()["llm"][0]["state"] == "half_open"
    stage.rosters.clear()
    await asyncio.sleep(2)
    stage.rosters.append(roster)
    stage.fail(AWAY)
    stage.rosters.clear()
    await asyncio.sleep(60)
    assert Probed.probes == 1
    task.cancel()
    await asyncio.wait({task})
