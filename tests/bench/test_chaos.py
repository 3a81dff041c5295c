"""The campaigns can fail, and the command says so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from lumi.bench.chaos.__main__ import chosen, main
from lumi.bench.chaos.boundaries import Spoken
from lumi.bench.chaos.campaigns import KINDS, Kind, cuts_in_memory
from lumi.bench.chaos.client import Shown
from lumi.bench.chaos.kills import ChaosFailed, history_problems, start
from lumi.bench.chaos.memory import Progress
from lumi.bench.chaos.record import Answered, Made, Outcome, Record, made_twice, remade
from lumi.client.chat_outbox import ChatOutbox
from lumi.client.resumption import Resumption
from lumi.errors import ConfigError
from lumi.protocol.messages import Response
from lumi.server.session_manager import SessionManager

A, B = Answered("a", "<1> yes"), Answered("b", "<2> yes")


def recorded(
    returned: list[Answered], shown: list[Answered], events: list[tuple[str, int]] | None = None
) -> list[str]:
    return Record({"a": "<1>", "b": "<2>"}, returned, shown, events or []).problems()


def test_a_record_without_faults() -> None:
    assert recorded([A, B], [A, B], [("s", 1), ("s", 2), ("t", 1)]) == []


@pytest.mark.parametrize(
    ("returned", "shown", "problem"),
    [
        ([A, B], [A], "shown: b never"),
        ([A], [A, B], "returned: b never"),
        ([A, B], [A, B, B], "shown: b 2 times"),
        ([A, B], [B, A], "shown: not in the order of asking"),
        ([A, B], [A, B, Answered("c", "")], "shown: c, which was not asked"),
        ([A, B], [A, Answered("b", "<1> yes")], "b was answered '<1> yes', which does not belong to it"),
        ([A, B], [A, Answered("b", "<2> no")], "b: one answer was returned, another shown"),
    ],
)
def test_a_record_with_faults(returned: list[Answered], shown: list[Answered], problem: str) -> None:
    assert problem in recorded(returned, shown)


def test_an_event_that_came_twice() -> None:
    assert recorded([A, B], [A, B], [("s", 1), ("s", 1)]) == ["event 1 of session s came 2 times"]


def test_one_life_makes_an_answer_once() -> None:
    made = [Made(1, "a"), Made(2, "a"), Made(2, "b")]
    assert (made_twice(made), remade(made)) == ([], 1)
    assert made_twice([*made, Made(2, "b")]) == ["Made(life=2, question='b') made 2 times"]


def test_a_spoken_turn_ends_once() -> None:
    assert list(Spoken(1, 1, 0).problems(1)) == []
    assert list(Spoken(2, 2, 0).problems(2)) == [
        "the spoken turn was heard 2 times",
        "the spoken turn ended 2 times in speech and 0 times in text",
    ]
    assert list(Spoken(0, 0, 0).problems(1)) == ["0 transcripts of 1 utterances"]


def test_a_killed_application_may_see_the_same_answer_again() -> None:
    asked = {"a": "<1>", "b": "<2>"}
    seen = [Shown("a", "<1> yes", 1), Shown("a", "<1> yes", 2), Shown("b", "<2> yes", 2)]
    assert history_problems(asked, seen) == []
    assert history_problems(asked, [*seen, seen[2]]) == ["b was shown 2 times to process 2"]
    assert history_problems(asked, [*seen, Shown("b", "<2> no", 3)]) == ["b was answered in two ways"]
    assert "shown: b never" in history_problems(asked, seen[:2])


def test_what_was_answered_but_not_written_down_may_come_after_what_still_waited():
    asked = {one: f"<{number}>" for number, one in enumerate("abcd")}
    seen = [Shown(one, f"{asked[one]} yes", 2) for one in "bacd"]
    assert history_problems(asked, seen, dict.fromkeys("ab", 1) | dict.fromkeys("cd", 2)) == []
    assert history_problems(asked, seen, dict.fromkeys("abcd", 2)) == [
        "returned: not in the order of asking",
        "shown: not in the order of asking",
    ]


def silent(_faults: int) -> None:
    """Nobody looks."""


async def forgetful(self: ChatOutbox, response: Response) -> Response | None:
    """An outbox that does not know what was answered before."""
    await self._settle_unless_awaited(response.id or "")
    return await self.pending.answered(response)


def test_a_client_that_shows_answers_twice_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChatOutbox, "answered", forgetful)
    assert any(" 2 times" in problem for problem in cuts_in_memory(200, 1, silent).problems)


def test_a_client_that_does_not_count_events_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def careless(_self: Resumption, event: Response) -> Response:
        return event

    monkeypatch.setattr(Resumption, "count", careless)
    monkeypatch.setattr(ChatOutbox, "answered", forgetful)
    assert any(problem.endswith("came 2 times") for problem in cuts_in_memory(200, 1, silent).problems)


def test_sessions_that_are_never_let_go_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def for_ever(_self: SessionManager) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(SessionManager, "sweep", for_ever)
    found = cuts_in_memory(200, 2, silent).problems
    assert any(problem.startswith("left over: sessions: ") for problem in found)
    assert any(problem.startswith("left over: stored sessions: ") for problem in found)


def outcome(problems: list[str]) -> Outcome:
    return Outcome(
        name="n",
        seed=1,
        faults=7,
        restarts=0,
        chats=2,
        answers_made=2,
        remade=0,
        seconds=0.1,
        problems=problems,
    )


@pytest.mark.parametrize("problems", [[], ["shown: a never"]])
def test_the_command(
    problems: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def run(faults: int, seed: int, progress: Progress) -> Outcome:
        asked.append((faults, seed))
        progress(faults)
        return outcome(problems)

    monkeypatch.setitem(KINDS, "memory", Kind("w", 9, run))
    file = tmp_path / "figures.json"
    assert main(["--only", "memory", "--seed", "3", "--json", str(file)]) == len(problems)
    assert main(["--only", "memory", "--faults", "5"]) == len(problems)
    assert asked == [(9, 3), (5, 1)]
    assert [one["problems"] for one in msgspec.json.decode(file.read_bytes())] == [problems]
    out = capsys.readouterr().out
    assert "Nothing lost, nothing twice" in out
    assert all(problem in out for problem in problems)


def test_which_campaigns() -> None:
    assert chosen("all") == list(KINDS)
    assert chosen("memory, server") == ["memory", "server"]
    with pytest.raises(ConfigError, match="there is no 'x'; give some of boundaries"):
        chosen("memory,x")
    assert main(["--only", "x"]) == 2


@pytest.mark.real
async def test_a_process_that_ends_before_it_is_ready() -> None:
    with pytest.raises(ChaosFailed, match=r"lumi\.bench\.chaos\.record ended too early"):
        await start("lumi.bench.chaos.record")
