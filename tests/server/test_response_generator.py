from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET

from lumi.engines.base import Transcript
from lumi.errors import ProtocolError
from lumi.protocol.messages import (
    Chat,
    Error,
    ErrorCode,
    LlmEmotion,
    Message,
    Metrics,
    Stt,
    Tts,
    TtsState,
)
from lumi.server.response_generator import STAGE_ERRORS, ResponseGenerator
from lumi.voice.events import (
    Emotion,
    Ending,
    Heard,
    ReplyDelta,
    ReplyDone,
    SentenceEnded,
    SentenceStarted,
    Stage,
    StageFailed,
    TurnEnded,
    TurnEvent,
)

RESPONSES = ResponseGenerator("session-1", lambda: 1_767_605_400.25)
ABOUT: dict[str, Any] = {"session_id": "session-1", "turn_id": "t"}


@pytest.mark.parametrize(
    ("event", "messages"),
    [
        (Heard("t", Transcript("hello", 1)), (Stt(text="hello", confidence=1.0, id="l", **ABOUT),)),
        (Emotion("t", "happy"), (LlmEmotion(emotion="happy", text="🙂", **ABOUT),)),
        (Emotion("t", "smug"), (LlmEmotion(emotion="neutral", text="😶", **ABOUT),)),
        (TurnEnded("t", Ending.DONE, {"stt": 1.5}), (Metrics(stages={"stt": 1.5}, **ABOUT),)),
        (ReplyDelta("t", "Hi"), ()),
        (ReplyDone("t", "Hi."), ()),
    ],
)
def test_what_goes_along_with_speech_has_its_message(event: TurnEvent, messages: tuple[Message, ...]) -> None:
    assert RESPONSES.beside(event, "l") == messages


def test_speech_has_a_frame_of_messages() -> None:
    assert RESPONSES.tts_start("t") == Tts(state=TtsState.START, **ABOUT)
    started = RESPONSES.sentence_start(SentenceStarted("t", 0, "Hi."))
    assert started == Tts(state=TtsState.SENTENCE_START, text="Hi.", **ABOUT)
    ended = RESPONSES.sentence_end(SentenceEnded("t", 0, "Hi."))
    assert ended == Tts(state=TtsState.SENTENCE_END, text="Hi.", **ABOUT)
    assert RESPONSES.tts_stop("t") == Tts(state=TtsState.STOP, **ABOUT)


def test_a_text_may_stand_instead_of_speech() -> None:
    response = RESPONSES.instead_of_speech(None, "Hi.")
    assert (response.id, response.request_id, response.content, response.is_final) == (
        None,
        None,
        "Hi.",
        True,
    )


def test_confidence_is_a_float_and_no_listen_id_is_left_out() -> None:
    (stt,) = RESPONSES.beside(Heard("t", Transcript("hello", 1)), None)
    assert isinstance(stt, Stt)
    assert isinstance(stt.confidence, float)
    assert stt.id is UNSET


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_that_fails_has_its_error(stage: Stage) -> None:
    (error,) = RESPONSES.beside(StageFailed("t", stage, "whisper", "whisper: no answer"), "l")
    assert isinstance(error, Error)
    assert error.error_code == STAGE_ERRORS[stage]
    assert (error.id, error.request_id, error.message) == ("l", "l", "whisper: no answer")
    assert error.timestamp == 1_767_605_400_250


def test_a_response_answers_in_the_askers_way_of_telling_time() -> None:
    text = RESPONSES.response(Chat(id="c", content="x", timestamp="2026-01-05T09:30:00Z"), "Hi.")
    number = RESPONSES.response(Chat(id="c", content="x", timestamp=5), "Hi.")
    none = RESPONSES.response(Chat(id="c", content="x"), "Hi.")
    assert text.timestamp == none.timestamp == "2026-01-05T09:30:00.250Z"
    assert number.timestamp == 1_767_605_400_250
    assert RESPONSES.response(Chat(id="c", content="x", timestamp=0), "Hi.").timestamp == 1_767_605_400_250
    assert (text.id, text.request_id, text.content, text.is_final) == ("c", "c", "Hi.", True)


def test_a_delta_is_not_final() -> None:
    delta = RESPONSES.delta(Chat(id="c", content="x"), "Hi")
    assert (delta.delta, delta.is_final, delta.content) == ("Hi", False, "")


@pytest.mark.parametrize(
    ("kind", "told"), [("timer", "timer"), ("reminder", "reminder"), ("doorbell", "push")]
)
def test_a_notice_says_what_it_is(kind: str, told: str) -> None:
    notify = RESPONSES.notify("n", kind, "Ding.", 0.0)
    assert (notify.id, notify.kind, notify.text) == ("n", told, "Ding.")
    assert notify.due_at == "1970-01-01T00:00:00.000Z"


def test_an_error_says_when_to_come_back() -> None:
    error = RESPONSES.error(ProtocolError(ErrorCode.OVERLOADED, "full", message_id="c"), retry_after_s=2.0)
    assert (error.retry_after, error.retryable, error.id) == (2.0, True, "c")
