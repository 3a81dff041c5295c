"""Where speech begins and ends, window by window (32 ms each)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.voice.endpointing import (
    WINDOW_MS,
    Endpointer,
    EndpointingSettings,
    EndReason,
    SpeechEnded,
    SpeechEvent,
    SpeechStarted,
)

SPEECH, SILENCE = 0.9, 0.05


def windows(ms: float, probability: float) -> list[float]:
    return [probability] * round(ms / WINDOW_MS)


def follow(*stretches: tuple[float, float], settings: EndpointingSettings | None = None) -> list[SpeechEvent]:
    endpointer = Endpointer(settings)
    return [event for ms, probability in stretches for event in endpointer.feed(windows(ms, probability))]


def test_an_utterance_begins_and_ends_where_it_does():
    events = follow((640, SILENCE), (960, SPEECH), (1280, SILENCE))
    assert events == [
        SpeechStarted(at_ms=736, start_ms=640, keep_from_ms=340),
        SpeechEnded(at_ms=2304, start_ms=640, end_ms=1600, reason=EndReason.SILENCE),
    ]


def test_silence_has_no_events():
    assert follow((10_000, SILENCE)) == []


def test_the_pause_that_ends_it_is_a_setting():
    (_, ended) = follow((320, SPEECH), (640, SILENCE), settings=EndpointingSettings(silence_ms=320))
    assert isinstance(ended, SpeechEnded)
    assert ended.at_ms - ended.end_ms == 320


def test_a_pause_within_a_sentence_does_not_end_it():
    events = follow((640, SPEECH), (640, SILENCE), (640, SPEECH), (960, SILENCE))
    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded]
    assert isinstance(events[1], SpeechEnded)
    assert events[1].end_ms == 1920


def test_a_click_is_no_speech():
    assert follow((320, SILENCE), (64, SPEECH), (320, SILENCE), (64, SPEECH), (960, SILENCE)) == []


def test_a_voice_that_breaks_off_for_a_moment_still_begins():
    (started,) = follow((320, SILENCE), (64, SPEECH), (64, SILENCE), (32, SPEECH))
    assert started == SpeechStarted(at_ms=480, start_ms=320, keep_from_ms=20)


def test_between_the_thresholds_it_stays_what_it_was():
    assert follow((960, 0.45)) == [], "not enough to begin"
    endpointer = Endpointer()
    endpointer.feed(windows(320, SPEECH))
    assert endpointer.feed(windows(3200, 0.45)) == [], "enough to go on"
    assert endpointer.silent_ms == 0
    assert len(endpointer.feed(windows(960, 0.3))) == 1


def test_the_sound_to_keep_begins_neither_before_the_stream_nor_in_the_utterance_before():
    endpointer = Endpointer()
    (first,) = endpointer.feed(windows(320, SPEECH))
    assert isinstance(first, SpeechStarted)
    assert first.keep_from_ms == 0
    (ended,) = endpointer.feed(windows(704, SILENCE))
    (second,) = endpointer.feed(windows(320, SPEECH))
    assert isinstance(ended, SpeechEnded)
    assert isinstance(second, SpeechStarted)
    assert second.start_ms == 1024
    assert second.keep_from_ms == 724
    close = Endpointer(EndpointingSettings(silence_ms=64))
    close.feed(windows(320, SPEECH) + windows(64, SILENCE))
    (third,) = close.feed(windows(320, SPEECH))
    assert isinstance(third, SpeechStarted)
    assert third.keep_from_ms == 320, "where the utterance before ended"


def test_an_utterance_without_end_is_ended_and_what_follows_is_the_next():
    events = follow((5_000, SPEECH), settings=EndpointingSettings(max_utterance_ms=2_000))
    ended = [event for event in events if isinstance(event, SpeechEnded)]
    started = [event for event in events if isinstance(event, SpeechStarted)]
    assert [event.reason for event in ended] == [EndReason.TOO_LONG] * 2
    assert ended[0].at_ms - ended[0].start_ms == pytest.approx(2_000, abs=WINDOW_MS)
    assert started[1].keep_from_ms == ended[0].at_ms, "not a sample lost or heard twice"


def test_finish_ends_what_has_begun_and_nothing_else():
    endpointer = Endpointer()
    assert endpointer.finish() == []
    endpointer.feed(windows(320, SPEECH) + windows(128, SILENCE))
    assert endpointer.speaking
    assert endpointer.silent_ms == 128
    assert endpointer.finish() == [SpeechEnded(448, 0, 320, EndReason.FINISHED)]
    assert endpointer.finish() == []
    assert not endpointer.speaking
    assert endpointer.silent_ms == 0


def test_after_reset_what_was_heard_belongs_to_no_utterance():
    endpointer = Endpointer()
    endpointer.feed(windows(640, SPEECH))
    endpointer.reset()
    assert not endpointer.speaking
    assert endpointer.position_ms == 640
    (started,) = endpointer.feed(windows(320, SPEECH))
    assert started == SpeechStarted(at_ms=736, start_ms=640, keep_from_ms=640)


@given(st.lists(st.floats(0, 1), max_size=400), st.lists(st.integers(1, 9), min_size=1, max_size=50))
def test_events_alternate_move_forward_and_do_not_depend_on_how_windows_are_grouped(speech, sizes):
    settings = EndpointingSettings(silence_ms=160, max_utterance_ms=1_600)
    at_once = Endpointer(settings).feed(speech)
    endpointer, grouped, start, turn = Endpointer(settings), [], 0, 0
    while start < len(speech):
        size = sizes[turn % len(sizes)]
        grouped += endpointer.feed(speech[start : start + size])
        start, turn = start + size, turn + 1
    assert grouped == at_once
    assert all(
        isinstance(event, (SpeechStarted, SpeechEnded)[number % 2]) for number, event in enumerate(at_once)
    )
    assert [event.at_ms for event in at_once] == sorted(event.at_ms for event in at_once)
    reach = 0.0
    for event in at_once:
        if isinstance(event, SpeechStarted):
            assert reach <= event.keep_from_ms <= event.start_ms < event.at_ms
        else:
            assert event.start_ms < event.end_ms <= event.at_ms
            reach = event.end_ms
