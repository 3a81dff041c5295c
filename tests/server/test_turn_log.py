from __future__ import annotations

import logging

import pytest

from lumi.server.turn_log import write_down
from lumi.voice.events import Ending, ReplyDone, Stage, StageFailed, TurnEnded


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [record.msg for record in caplog.records if isinstance(record.msg, dict)]


def test_the_end_of_a_turn_names_its_tools(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "lumi")
    write_down(TurnEnded("t", Ending.DONE, {"llm": 3.0}), ["home.on: done"])
    write_down(TurnEnded("u", Ending.DONE, {}), [])
    first, second = lines(caplog)
    assert (first["turn"], first["ending"], first["llm"], first["tools"]) == (
        "t",
        "done",
        3.0,
        ["home.on: done"],
    )
    assert "tools" not in second


def test_what_failed_is_said(caplog: pytest.LogCaptureFixture):
    write_down(StageFailed("t", Stage.TTS, "espeak", "no voice"), [])
    (line,) = lines(caplog)
    assert (line["stage"], line["engine"], line["error"]) == ("tts", "espeak", "no voice")


def test_the_rest_is_not_written_down(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "lumi")
    write_down(ReplyDone("t", "secret words"), [])
    assert not lines(caplog)
