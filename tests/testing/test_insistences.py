"""The looks at a recording whose edges no live server shows; all others are seen to fail in `tests/flows`."""

from __future__ import annotations

from typing import Any

import pytest

from lumi.testing.insistences import INSISTENCES
from lumi.testing.recordings import turns
from lumi.testing.replay import Recording, Script
from lumi.testing.wire import Received

START = {"type": "tts", "state": "start"}
STOP = {"type": "tts", "state": "stop"}
PACKET = bytes(10)


def recording(*down: tuple[float, Any], up: tuple[tuple[float, Any], ...] = ()) -> Recording:
    script = Script("test", "A test.", "xiaozhi", frozenset(), (), (), (), (), gap_ms=30)
    found = Recording(script, opened_s=0.0, slack_ms=1.0)
    found.down = [Received(at_s, content) for at_s, content in down]
    found.up = [Received(at_s, content) for at_s, content in up]
    return found


def complains(name: str, one: Recording) -> list[str]:
    return list(INSISTENCES[name](one))


def test_120_ms_ahead_is_allowed_and_no_more() -> None:
    at_the_limit = recording((0, START), (1, PACKET), (1, PACKET), (1, PACKET), (2, STOP))
    assert complains("lead", at_the_limit) == []
    beyond = recording((0, START), *[(1, PACKET)] * 4, (2, STOP))
    assert complains("lead", beyond) == ["sound came 180 ms ahead"]


def test_a_pause_in_the_sound_is_no_credit_for_a_burst_after_it() -> None:
    late = recording((0, START), (1, PACKET), *[(5, PACKET)] * 4, (9, STOP))
    assert complains("lead", late) == ["sound came 180 ms ahead"]


@pytest.mark.parametrize(("stopped_s", "early"), [(1.12, False), (1.1, True)])
def test_playing_ends_one_packet_after_the_last(stopped_s: float, early: bool) -> None:
    one = recording((0, START), (1, PACKET), (1, PACKET), (stopped_s, STOP))
    assert bool(complains("stop_after_playout", one)) is early


def test_a_turn_that_was_cut_off_may_stop_early() -> None:
    one = recording((0, START), (1, PACKET), (1.01, STOP), up=((1.005, {"type": "abort"}),))
    assert turns(one)[0].cut_s == 1.005
    assert complains("stop_after_playout", one) == []
    assert complains("stop_at_once", one) == []


def test_an_abort_that_stops_nothing_is_complained_of() -> None:
    assert complains("stop_at_once", recording((0, START), up=((1, {"type": "abort"}),)))


def test_a_turn_without_an_end() -> None:
    assert complains("one_stop", recording((0, START))) == ["no tts stop"]


def test_nothing_at_all_is_no_hello() -> None:
    assert complains("hello_first", recording())
    assert complains("hello_soon", recording())
    assert complains("hello_first", recording((0, PACKET)))


def test_silence_before_the_first_listen_is_kept_by_who_says_nothing() -> None:
    assert complains("quiet_before_listen", recording((0, START)))
    assert not complains("quiet_before_listen", recording((2, START), up=((1, {"type": "listen"}),)))
