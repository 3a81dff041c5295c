"""The log's last warnings and errors, without what the log may not hold."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from lumi.server import problems as module
from lumi.server.log import Subject, logger
from lumi.server.problems import Problem, Problems

log = logger(Subject.VOICE)


@pytest.fixture
def problems() -> Iterator[Problems]:
    found = Problems()
    with found.watching():
        yield found


def last(problems: Problems) -> Problem:
    return problems.all()[-1]


def test_warnings_and_errors_are_kept(problems: Problems):
    log.info("fine")
    log.warning("stage failed", engine="deaf", retry_s=3.5, token="secret", text="what was said")
    found = last(problems)
    assert (found.number, found.level, found.subject, found.event) == (1, "warning", "voice", "stage failed")
    assert found.values == {"engine": "deaf", "retry_s": "3.5", "token": "***", "text": "13 characters"}
    log.error("worse", why="x" * 1000)
    assert last(problems).level == "error"
    assert len(last(problems).values["why"]) == module.MOST_CHARACTERS + 1
    assert problems.count == 2


def test_of_an_exception_the_kind_is_told(problems: Problems):
    try:
        int("what was said")
    except ValueError:
        log.exception("turn failed", turn="t")
    assert last(problems).values == {"turn": "t", "exception": "ValueError"}
    logging.getLogger("lumi.elsewhere").error("plain %s", "text", exc_info=(KeyError, KeyError("x"), None))
    assert (last(problems).event, last(problems).values) == ("plain text", {"exception": "KeyError"})


def test_only_the_last_are_kept_and_only_while_watching(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "KEPT", 2)
    problems = Problems()
    with problems.watching():
        for number in range(3):
            log.warning("again", number=number)
    log.warning("too late")
    assert [one.values["number"] for one in problems.all()] == ["1", "2"]
    assert problems.count == 3
