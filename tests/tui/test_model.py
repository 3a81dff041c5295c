from __future__ import annotations

import pytest

from lumi.client.events import Audio
from lumi.client.state_machine import Connecting, Errored, Initial, Ready
from lumi.errors import ConnectionLost, Overloaded
from lumi.protocol.messages import Response, Stt, Tts, TtsState
from lumi.testing.sounds import tone
from lumi.tui.model import Listening, Model

READY = Ready("session-1", "9.9")


def test_a_new_model_knows_nothing():
    model = Model("zh", address="ws://x/")
    assert (model.state, model.language, model.address) == (Initial(), "zh", "ws://x/")
    assert (model.queue_length, model.retry_at_s, model.listening) == (0, None, Listening.OFF)


def test_a_countdown_is_kept_as_a_moment():
    model = Model()
    model.retry(4.0, 100.0)
    assert model.retry_at_s == 104.0
    model.retry(None, 101.0)
    assert model.retry_at_s is None


def test_ready_ends_the_trouble():
    model = Model()
    model.trouble_is(ConnectionLost(1006))
    model.retry(4.0, 100.0)
    model.connection(Connecting(), 0.0)
    assert isinstance(model.trouble, ConnectionLost)
    model.connection(READY, 0.0)
    assert [model.trouble, model.retry_at_s] == [None, None]


def test_a_lost_line_ends_what_was_going_on():
    model = Model()
    model.connection(READY, 0.0)
    model.said("hi", "q", 1.0)
    model.event(Tts(state=TtsState.START), 2.0)
    model.connection(Errored("gone"), 3.0)
    assert model.conversation.speaking is None
    model.event(Response(id="q", content="late"), 60.0)
    assert model.clock.latency_s is None


def test_the_latency_of_a_typed_turn_is_that_of_its_first_words():
    model = Model()
    model.connection(READY, 0.0)
    model.said("hi", "q", 10.0)
    model.event(Response(id="q", delta="He", is_final=False), 10.3)
    model.event(Response(id="q", content="Hello."), 12.0)
    assert model.clock.latency_s == pytest.approx(0.3)


def test_a_held_turn_is_counted_from_the_key_to_the_first_sound():
    model = Model()
    model.listen(Listening.HOLD)
    model.released(20.0)
    model.event(Stt(text="hi"), 20.2)
    model.event(Audio(b"x", tone(60)), 20.5)
    assert model.listening is Listening.OFF
    assert model.clock.latency_s == pytest.approx(0.5)


def test_a_hands_free_turn_is_counted_from_its_words():
    model = Model()
    model.listen(Listening.HANDS_FREE)
    model.event(Stt(text="h", is_final=False), 19.0)
    model.event(Stt(text="hi"), 20.2)
    model.event(Audio(b"x", tone(60)), 20.5)
    assert model.clock.latency_s == pytest.approx(0.3)


def test_a_failed_message_is_not_counted():
    model = Model()
    model.connection(READY, 0.0)
    model.said("hi", "q", 1.0)
    model.failed("q", Overloaded("busy"))
    model.event(Response(id="other", content="x"), 2.0)
    assert model.clock.latency_s is None


def test_opening_the_microphone_forgets_what_was_half_heard():
    model = Model()
    model.event(Stt(text="wh", is_final=False), 1.0)
    model.listen(Listening.HOLD)
    assert model.conversation.heard == ""


def test_both_meters_follow_their_sound():
    model = Model()
    model.microphone_heard(tone(60), 1.0)
    assert model.microphone.value(1.0) > 0.3
    assert model.loudspeaker.value(1.0) == 0
    model.loudspeaker_plays(tone(60), 2.0)
    assert model.loudspeaker.value(2.0) > 0.3


def test_the_language_can_be_switched_and_back():
    model = Model("zh")
    languages = []
    for _ in range(2):
        model.switch_language()
        languages.append(model.language)
    assert languages == ["en", "zh"]


def test_remarks_reach_the_conversation():
    model = Model()
    model.welcome()
    model.problem(Overloaded("busy"))
    model.answered("nobody knows it")
    assert [entry.speaker.value for entry in model.conversation.entries] == ["notice", "error"]


def progress(model: Model) -> list[str]:
    return [entry.progress.value for entry in model.conversation.entries]


def test_what_is_typed_without_a_line_waits_for_one():
    model = Model()
    model.said("hi", "q", 1.0)
    assert progress(model) == ["waiting"]
    model.connection(READY, 5.0)
    assert progress(model) == ["done"]
    model.event(Response(id="q", content="Hello."), 5.25)
    assert model.clock.latency_s == 0.25


def test_what_was_not_answered_waits_again_when_the_line_is_lost():
    model = Model()
    model.connection(READY, 0.0)
    for key in ("a", "b", "c"):
        model.said(key, key, 1.0)
    model.answered("a")
    model.failed("b", Overloaded("busy"))
    model.connection(Errored("gone"), 3.0)
    assert progress(model) == ["done", "unsent", "waiting", "done"]
    model.connection(Connecting(), 4.0)
    assert progress(model)[2] == "waiting"
    model.connection(READY, 5.0)
    assert progress(model)[2] == "done"
