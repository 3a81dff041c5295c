"""Late frames and stalls of one answer."""

from __future__ import annotations

import pytest

from lumi.bench.playout import Playout

FRAME_S = 0.060


def heard(*lateness_ms: float, start_s: float = 5.0) -> Playout:
    playout = Playout(FRAME_S)
    for index, late_ms in enumerate(lateness_ms):
        playout.packet(start_s + index * FRAME_S + late_ms / 1000)
    return playout


def test_an_answer_on_time_has_nothing_late() -> None:
    playout = heard(0, 0, 0, 0)
    assert (playout.packets, playout.late, playout.stalls) == (4, 0, 0)


def test_packets_ahead_of_time_are_on_time() -> None:
    playout = heard(0, -60, -120, -120)
    assert (playout.late, playout.stalls, playout.worst_s) == (0, 0, 0.0)


def test_more_than_twenty_milliseconds_is_late_but_a_frame_of_buffer_hides_it() -> None:
    playout = heard(0, 19, 21, 50, 0)
    assert (playout.late, playout.stalls) == (2, 0)
    assert playout.worst_s == pytest.approx(0.050)


def test_an_empty_buffer_is_one_stall_after_which_the_player_fills_it_again() -> None:
    playout = heard(0, 0, 200, 200, 200)
    assert (playout.late, playout.stalls) == (3, 1)


def test_a_packet_that_comes_later_still_stalls_again() -> None:
    assert heard(0, 100, 250).stalls == 2
