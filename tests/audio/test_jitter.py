"""The jitter buffer: starts with enough in hand, never lags beyond its bound, knows old speech from new."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lumi.audio.jitter import Filling, JitterBuffer


def packet(number: int) -> bytes:
    return number.to_bytes(2, "big")


def filled(count: int, **bounds: Any) -> JitterBuffer:
    buffer = JitterBuffer(60, **bounds)
    for number in range(count):
        buffer.push(1, packet(number))
    return buffer


def test_plays_once_enough_waits():
    buffer = filled(1)
    assert buffer.pop() is None
    assert buffer.stats.underruns == 0, "not begun is not run dry"
    buffer.push(1, packet(1))
    assert [buffer.pop(), buffer.pop()] == [packet(0), packet(1)]
    assert buffer.waiting_ms == 0


def test_a_complete_speech_plays_however_short():
    buffer = filled(1)
    buffer.complete(1)
    assert not buffer.finished
    assert buffer.pop() == packet(0)
    assert buffer.finished
    assert buffer.pop() is None
    assert buffer.stats.underruns == 0


def test_running_dry_is_counted_once_and_fills_up_again():
    buffer = filled(2)
    assert [buffer.pop() for _ in range(5)] == [packet(0), packet(1), None, None, None]
    assert buffer.stats.underruns == 0, "this may have been the end"
    assert buffer.state is Filling.FILLING
    buffer.push(1, packet(2))
    assert buffer.stats.underruns == 1
    assert buffer.pop() is None
    buffer.push(1, packet(3))
    assert buffer.pop() == packet(2)


def test_after_a_stall_the_oldest_beyond_the_bound_is_dropped():
    buffer = filled(10, max_ms=600)
    assert buffer.stats.dropped == 0
    buffer.push(1, packet(10))
    buffer.push(1, packet(11))
    assert buffer.stats.dropped == 2
    assert buffer.waiting_ms == 600
    assert buffer.passed_ms == 120
    assert [buffer.pop(), buffer.pop()] == [packet(2), packet(3)]
    assert buffer.passed_ms == 240


def spoken(pattern: str, **bounds: Any) -> tuple[JitterBuffer, str]:
    """A buffer of packets that are speech (a letter) or silence (a dot), and what is played of it."""
    buffer = JitterBuffer(60, is_silent=lambda one: one == b".", **bounds)
    for letter in pattern:
        buffer.push(1, letter.encode())
    buffer.complete(1)
    played = []
    while not buffer.finished:
        played.append((buffer.pop() or b"").decode())
    return buffer, "".join(played)


def test_a_delay_is_won_back_by_shortening_pauses():
    buffer, played = spoken("ab....cd...efgh", start_ms=120)
    assert played == "ab.cd.efgh"
    assert buffer.stats.skipped == 5
    assert buffer.passed_ms == 15 * 60


def test_pauses_are_left_alone_where_there_is_no_delay():
    assert spoken("a....b", settle_ms=360)[1] == "a....b"
    assert spoken("ab....", settle_ms=120)[1] == "ab..."
    assert spoken("......", settle_ms=60)[1] == ".."


def test_a_new_speech_begins_at_its_beginning():
    buffer = filled(4)
    buffer.pop()
    buffer.start(2)
    assert buffer.passed_ms == 0


def test_a_new_speech_drops_the_old_one():
    buffer = filled(4)
    buffer.start(2)
    assert buffer.stats.stale == 4
    assert buffer.pop() is None
    assert not buffer.push(1, packet(9))
    assert buffer.stats.stale == 5
    assert buffer.push(2, packet(20))
    assert buffer.push(2, packet(21))
    assert buffer.pop() == packet(20)


def test_a_packet_of_a_newer_speech_starts_it():
    buffer = filled(3)
    assert buffer.push(7, packet(0))
    assert buffer.waiting_ms == 60


def test_starting_the_same_speech_again_changes_nothing():
    buffer = filled(3)
    buffer.start(1)
    buffer.start(0)
    assert buffer.waiting_ms == 180


def test_after_the_end_nothing_more_is_taken_and_another_speechs_end_means_nothing():
    buffer = filled(2)
    buffer.complete(5)
    assert buffer.push(1, packet(2))
    buffer.complete(1)
    assert not buffer.push(1, packet(3))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=200),
    st.integers(60, 300),
    st.integers(60, 1200),
)
def test_never_waits_longer_than_its_bound_and_never_goes_back(steps, start_ms, max_ms):
    buffer = JitterBuffer(60, start_ms=start_ms, max_ms=max_ms)
    highest, played = 0, []
    for number, (generation, push) in enumerate(steps):
        if push:
            buffer.push(generation, packet(number))
            highest = max(highest, generation)
        elif (taken := buffer.pop()) is not None:
            played.append(int.from_bytes(taken, "big"))
        assert buffer.waiting_ms <= max(start_ms, max_ms) + 60
    assert played == sorted(played)
    assert all(steps[number][0] <= highest for number in played)
