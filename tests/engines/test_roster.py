import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Self

import pytest

from lumi.engines.base import Prompt
from lumi.engines.roster import CameBack, Failed, Member, News, Roster, TookOver
from lumi.errors import EngineError, EngineUnavailable, Trouble
from lumi.testing.engines import ScriptedLlm

BROKEN = EngineError("e", "it broke")
AWAY = EngineError("e", "connection refused", trouble=Trouble.UNREACHABLE)


class Watched(ScriptedLlm):
    """Can be loaded and probed, or not, as a test says."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.start_error: EngineError | None = None
        self.probe_error: EngineError | None = None
        self.probe_s = 0.0
        self.probes = 0

    async def start(self) -> None:
        if self.start_error is not None:
            raise self.start_error

    async def probe(self) -> None:
        self.probes += 1
        await asyncio.sleep(self.probe_s)
        if self.probe_error is not None:
            raise self.probe_error


class Stage:
    """Engines `a`, `b` … in a list, and what was told of them."""

    def __init__(self, *engines: Any, slow_s: float = 4.0) -> None:
        self.news: list[News] = []
        members = [Member(name, f"llm.{name}", engine) for name, engine in zip("abc", engines, strict=False)]
        self.roster = Roster("llm", members, slow_s=slow_s, tell=self.news.append)

    def states(self) -> dict[str, str]:
        return {report.name: report.state for report in self.roster.report()}

    def ask(self, *outcomes: EngineError | None) -> list[str]:
        """One request: each engine asked does as said; the names of those asked."""
        asked = []
        for attempt, outcome in zip(self.roster.attempts(), outcomes, strict=False):
            asked.append(attempt.member.name)
            with attempt:
                if outcome is not None:
                    raise outcome
                break
        return asked


async def test_the_first_is_asked_first_and_the_next_when_it_fails():
    stage = Stage(ScriptedLlm(), ScriptedLlm())
    assert stage.ask(None) == ["a"]
    assert stage.ask(BROKEN, None) == ["a", "b"]
    assert stage.news == [Failed("llm", "a", "llm.a", BROKEN), TookOver("llm", "b")]


async def test_one_that_does_not_work_is_passed_over_until_its_wait_is_over():
    stage = Stage(ScriptedLlm(), ScriptedLlm())
    stage.ask(AWAY, None)
    assert stage.states() == {"a": "open", "b": "closed"}
    assert stage.ask(None) == ["b"]
    await asyncio.sleep(5)
    assert stage.states()["a"] == "half_open"
    assert stage.ask(None) == ["a"]
    assert stage.states()["a"] == "closed"
    assert stage.news[-1] == CameBack("llm", "a")


async def test_while_one_request_tries_the_others_go_to_the_next():
    stage = Stage(ScriptedLlm(), ScriptedLlm())
    stage.ask(AWAY, None)
    await asyncio.sleep(5)
    with next(stage.roster.attempts()) as trying:
        assert trying.member.name == "a"
        assert stage.ask(None) == ["b"]
    assert stage.ask(None) == ["a"]


async def test_rather_than_nothing_those_that_do_not_work_are_asked():
    stage = Stage(ScriptedLlm(), ScriptedLlm())
    stage.ask(AWAY, AWAY)
    assert set(stage.states().values()) == {"open"}
    assert stage.ask(BROKEN, None) == ["a", "b"]
    assert stage.states() == {"a": "open", "b": "closed"}


async def test_only_the_last_is_waited_for_for_ever():
    stage = Stage(ScriptedLlm(), ScriptedLlm())
    assert [attempt.alone for attempt in stage.roster.attempts()] == [False, True]


@pytest.mark.parametrize(("waited_s", "state"), [(3, "closed"), (5, "open")])
async def test_a_long_silence_that_somebody_gave_up_counts(waited_s, state):
    stage = Stage(ScriptedLlm(delay_s=60))

    async def ask() -> None:
        async with asyncio.timeout(waited_s):
            with next(stage.roster.attempts()) as attempt:
                async for _ in attempt.read(attempt.engine.reply(Prompt(()))):
                    pass

    for _ in range(3):
        with pytest.raises(TimeoutError):
            await ask()
    assert stage.states() == {"a": state}


async def test_a_request_given_up_in_mid_answer_shows_that_the_engine_works():
    stage = Stage(ScriptedLlm(), ScriptedLlm())
    stage.ask(AWAY, None)
    await asyncio.sleep(5)

    async def answer() -> AsyncGenerator[str, None]:
        with next(stage.roster.attempts()) as attempt:
            attempt.patience.items = 1
            yield "word"

    async with aclosing(answer()) as words:
        assert await anext(words) == "word"
    assert stage.states()["a"] == "closed"


async def test_engines_that_cannot_be_loaded_do_not_matter_while_one_can():
    primary, spare = Watched("primary"), Watched("spare")
    primary.start_error = EngineUnavailable("primary", "install it")
    stage = Stage(primary, spare)
    await stage.roster.start()
    assert stage.states() == {"a": "open", "b": "closed"}
    assert stage.ask(None) == ["b"]
    assert stage.roster.report()[0].trouble is Trouble.FAILED
    spare.start_error = EngineUnavailable("spare", "install that")
    none = Stage(primary, spare)
    with pytest.raises(EngineUnavailable, match="install it"):
        await none.roster.start()


async def test_one_that_could_not_be_made_is_never_asked():
    problem = EngineUnavailable("gone", "pip install gone")
    member: Member[ScriptedLlm] = Member("gone", "llm.engine", None, problem)
    roster = Roster("llm", [member, Member("spare", "llm.fallback", ScriptedLlm())], slow_s=1)
    await roster.start()
    assert [report.state for report in roster.report()] == ["unavailable", "closed"]
    assert [attempt.member.name for attempt in roster.attempts()] == ["spare"]
    assert not roster.report()[0].works
    assert roster.first is roster.members[1].engine
    await roster.aclose()


class Probing(Stage):
    """… with somebody who probes in the background."""

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.roster.watch())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


async def test_an_engine_that_failed_is_probed_with_growing_waits_and_used_again():
    primary = Watched("primary")
    primary.probe_error = AWAY
    async with Probing(primary, Watched("spare")) as stage:
        await stage.roster.start()
        stage.ask(AWAY, None)
        await asyncio.sleep(4)
        assert primary.probes == 0
        await asyncio.sleep(32)  # at 5, 15 and 35 s
        assert primary.probes == 3
        assert stage.states()["a"] == "open"
        primary.probe_error = None
        await asyncio.sleep(40)
        assert primary.probes == 4
        assert stage.states()["a"] == "half_open"
        assert stage.ask(None) == ["a"]
        assert stage.states()["a"] == "closed"
        await asyncio.sleep(3600)
        assert primary.probes == 4  # it works: nobody asks


async def test_a_probe_that_hangs_is_given_up():
    primary = Watched("primary")
    primary.probe_s = 100
    async with Probing(primary, Watched("spare")) as stage:
        await stage.roster.start()
        stage.ask(AWAY, None)
        await asyncio.sleep(10)
        report = stage.roster.report()[0]
        assert (report.state, report.trouble) == ("open", Trouble.SLOW)
        assert report.retry_s > 0


async def test_one_that_could_not_be_loaded_is_loaded_when_it_can_be():
    primary = Watched("primary")
    primary.start_error = EngineUnavailable("primary", "no network")
    async with Probing(primary, Watched("spare")) as stage:
        await stage.roster.start()
        primary.start_error = None
        await asyncio.sleep(6)
        assert stage.ask(None) == ["a"]


async def test_one_without_a_probe_is_tried_by_the_next_request():
    async with Probing(ScriptedLlm(), ScriptedLlm()) as stage:
        stage.ask(AWAY, None)
        await asyncio.sleep(5)
        assert stage.ask(AWAY, None) == ["a", "b"]
        await asyncio.sleep(9)
        assert stage.ask(None) == ["b"]
        await asyncio.sleep(1)
        assert stage.ask(None) == ["a"]
