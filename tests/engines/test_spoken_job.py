from __future__ import annotations

import pytest

from lumi.engines.spoken_job import PIECE_BYTES, SpokenJob, bounded, pcm_of
from lumi.engines.spoken_text import Utterance
from lumi.engines.worker_speech import SpeakRequest


def test_clauses_are_spoken_one_by_one_with_a_rest_between():
    said: list[str] = []

    def synthesise(clause: Utterance, request: SpeakRequest) -> bytes:
        said.append(clause.text)
        return bytes(PIECE_BYTES + 2)

    steps = SpokenJob(SpeakRequest("One two. 三。", language="zh"), synthesise).finish()
    assert [len(step) for step in (next(steps), next(steps), next(steps))] == [PIECE_BYTES, 2, 0]
    assert said == ["One two."], "the next clause is not made before somebody asks for it"
    assert [len(step) for step in steps] == [PIECE_BYTES, 2, 0]


def test_a_request_takes_no_sound():
    with pytest.raises(ValueError, match="no further pieces"):
        SpokenJob(SpeakRequest("a"), lambda *_: b"").feed(b"12")


def test_loud_samples_are_clipped():
    assert pcm_of([2.0, -2.0, 0.0]) == b"\xff\x7f\x01\x80\x00\x00"


def test_the_pace_has_bounds():
    assert [bounded(speed) for speed in (0.1, 1.2, 9.0)] == [0.5, 1.2, 2.0]
