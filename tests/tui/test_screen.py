from __future__ import annotations

import pytest

from lumi.client.state_machine import (
    Connected,
    Connecting,
    ConnectionState,
    Disconnected,
    Errored,
    Failed,
    Handshaking,
    Initial,
    Ready,
)
from lumi.client.status import STATUSES
from lumi.errors import ConnectFailed
from lumi.protocol.messages import Response, Stt, Tts, TtsState
from lumi.testing.sounds import tone
from lumi.tui.entries import Speaker
from lumi.tui.model import Listening, Model
from lumi.tui.screen import NAMES, draw
from lumi.tui.view import Tone

READY = Ready("session-1", "9.9")


def test_everybody_has_a_name():
    assert set(NAMES) == set(Speaker)


@pytest.mark.parametrize(
    "state",
    [
        Initial(),
        Connecting(),
        Connected(),
        Handshaking(),
        READY,
        Disconnected(),
        Failed("no"),
        Errored("gone"),
    ],
    ids=lambda state: state.phase.value,
)
def test_every_state_shows_its_badge_in_both_languages(state: ConnectionState):
    status = STATUSES[state.phase]
    model = Model("zh")
    model.connection(state, 0.0)
    for language in ("zh", "en"):
        model.language = language
        badge = draw(model, 0.0).badge
        assert badge.label == status.label(language)
        assert (badge.glyph, badge.hex, badge.spinner) == (status.glyph, status.hex, status.spinner)


def test_the_title_tells_who_answers_where():
    model = Model("en", address="ws://x/")
    assert draw(model, 0.0).title == "Lumi · ws://x/"
    model.connection(READY, 0.0)
    assert draw(model, 0.0).title == "Lumi 9.9 · ws://x/"
    assert draw(Model("en"), 0.0).title == "Lumi"


def test_the_banner_counts_down():
    model = Model("en")
    model.connection(Failed("nothing listens there"), 0.0)
    model.retry(4.0, 100.0)
    assert (
        draw(model, 100.0).banner
        == "network error: nothing listens there\nreconnecting in 4 s · ^r connects now"
    )
    assert draw(model, 101.5).banner.endswith("reconnecting in 3 s · ^r connects now")
    assert draw(model, 200.0).banner.endswith("reconnecting in 0 s · ^r connects now")


def test_the_banner_explains_in_the_user_s_language():
    model = Model("zh")
    model.connection(Failed("nothing listens there"), 0.0)
    model.trouble_is(ConnectFailed("nothing listens there"))
    banner = draw(model, 0.0).banner
    assert banner.startswith("连接失败 — ")
    assert banner.endswith("\n按 ^r 重连")


def test_an_orderly_end_needs_no_reason():
    model = Model("en")
    model.connection(Disconnected(), 0.0)
    assert draw(model, 0.0).banner == "press ^r to connect again"


@pytest.mark.parametrize("state", [Initial(), Connecting(), Connected(), Handshaking(), READY])
def test_where_all_is_well_there_is_no_banner(state: ConnectionState):
    model = Model("en")
    model.trouble_is(ConnectFailed("the try before"))
    model.connection(state, 0.0)
    assert draw(model, 0.0).banner == ""


def test_lines_name_their_speaker_and_tell_how_far_they_are():
    model = Model("zh")
    model.said("你好", "q", 0.0)
    model.event(Response(id="q", delta="你", is_final=False), 0.0)
    waiting, growing = draw(model, 0.0).lines
    assert (waiting.name, waiting.text, waiting.remark) == ("你", "你好", "（待发）")
    assert (growing.name, growing.text, growing.growing, growing.remark) == ("Lumi", "你", True, "")


def test_facts_are_the_queue_and_the_last_turn():
    model = Model("en")
    assert draw(model, 0.0).facts == ("queue 0", "last turn –")
    model.queued(2)
    model.connection(READY, 0.0)
    model.said("hi", "q", 1.0)
    model.event(Response(id="q", content="x"), 1.0204)
    assert draw(model, 2.0).facts == ("queue 2", "last turn 20 ms")
    model.switch_language()
    assert draw(model, 2.0).facts == ("待发 2", "上一轮 20 毫秒")


@pytest.mark.parametrize(
    ("listening", "text", "tone"),
    [
        (Listening.OFF, "^t to talk · ^o for hands-free", Tone.FAINT),
        (Listening.HOLD, "listening, ^t again when you have finished", Tone.GOOD),
        (Listening.HANDS_FREE, "hands-free: just speak", Tone.GOOD),
        (Listening.PAUSED, "hands-free: until Lumi has finished", Tone.FAINT),
    ],
)
def test_the_line_below_says_what_the_microphone_does(listening: Listening, text: str, tone: Tone):
    model = Model("en")
    model.listen(listening)
    view = draw(model, 0.0)
    assert (view.transcript, view.transcript_tone) == (text, tone)


def test_the_line_below_shows_what_is_heard_and_said():
    model = Model("en")
    model.listen(Listening.HOLD)
    model.event(Stt(text="what ti", is_final=False), 0.0)
    assert draw(model, 0.0).transcript == "what ti"
    model.released(1.0)
    model.event(Tts(state=TtsState.START), 1.0)
    assert draw(model, 1.0).transcript == "Lumi is speaking"
    model.event(Tts(state=TtsState.SENTENCE_START, text="Noon."), 1.0)
    assert (draw(model, 1.0).transcript, draw(model, 1.0).transcript_tone) == ("Noon.", Tone.PLAIN)


def test_meters_are_closed_unless_something_is_measured():
    model = Model("en")
    model.microphone_heard(tone(60), 1.0)
    view = draw(model, 1.0)
    assert (view.microphone.name, view.microphone.level) == ("Mic", None)
    assert (view.loudspeaker.name, view.loudspeaker.level) == ("Speaker", None)
    model.listen(Listening.HOLD)
    level = draw(model, 1.0).microphone.level
    assert level is not None
    assert level > 0.3
    model.event(Tts(state=TtsState.START), 1.0)
    assert draw(model, 1.0).loudspeaker.level == 0.0


def labels(model: Model) -> dict[str, str]:
    return {key.key: key.label for key in draw(model, 0.0).keys}


def test_keys_say_what_they_would_do_now():
    model = Model("en")
    assert labels(model) == {
        "^t": "Talk",
        "^o": "Hands-free",
        "esc": "Interrupt",
        "^r": "Reconnect",
        "^l": "中文",
        "^q": "Quit",
    }
    model.listen(Listening.HOLD)
    assert labels(model)["^t"] == "Finish"
    for listening in (Listening.HANDS_FREE, Listening.PAUSED):
        model.listen(listening)
        assert labels(model)["^o"] == "Hands-free off"
    model.switch_language()
    assert labels(model)["^l"] == "English"
