from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lumi.audio.wav import write_wav
from lumi.client.events import Audio, Event
from lumi.client.spoken_reply import ReplyCollector, SpokenReply, join_sentences, load_question
from lumi.errors import AudioError, AudioFileError, ServerError
from lumi.protocol.messages import Error, LlmEmotion, Response, Stt, Tts, TtsState


def sentence(text: str) -> Tts:
    return Tts(state=TtsState.SENTENCE_START, text=text, turn_id="t1")


STOP = Tts(state=TtsState.STOP, turn_id="t1")


def test_the_whole_text_may_come_in_place_of_the_rest_of_the_speech():
    collector = ReplyCollector("l1", asked_at_s=10.0)
    assert not collector.add(Stt(text="what time is it", id="l1"), 10)
    assert not collector.add(sentence("It is"), 11)
    assert not collector.add(Response(id="l1", is_final=False, delta="It"), 12)
    assert not collector.add(Response(id="other", content="Hello."), 12)
    assert collector.add(Response(id="l1", content="It is noon."), 12)
    assert collector.reply().text == "It is noon."


def test_a_voice_that_fails_leaves_the_answer_to_be_read():
    collector = ReplyCollector("l1", asked_at_s=10.0)
    assert not collector.add(Stt(text="what time is it", id="l1"), 10)
    assert not collector.add(sentence("It is noon."), 11)
    collector.add(Error(error_code="tts_failed", error_message="other", id="else"), 11)
    assert not collector.add(Error(error_code="tts_failed", error_message="no voice", id="l1"), 11)
    assert collector.add(STOP, 12)
    reply = collector.reply()
    assert (reply.text, reply.first_audio_ms) == ("It is noon.", None)
    assert reply.problem is not None
    assert reply.problem.code == "tts_failed"
    with pytest.raises(ServerError):
        collector.add(Error(error_code="llm_failed", error_message="no idea", id="l1"), 13)


def test_a_turn_is_gathered():
    collector = ReplyCollector("l1", asked_at_s=10.0)
    story: list[tuple[Event, float]] = [
        (Stt(text="what time", confidence=0.5, is_final=False, id="l1"), 10.1),
        (Stt(text="what time is it", confidence=0.9, id="l1"), 10.2),
        (LlmEmotion(emotion="happy", text="🙂"), 10.25),
        (Tts(state=TtsState.START), 10.3),
        (sentence("It is noon."), 10.3),
        (Audio(b"p", b"\1\0" * 240, 24_000), 10.4),
        (Audio(b"", b""), 10.5),
        (sentence("Anything else?"), 10.6),
        (Audio(b"p", b"\2\0" * 240, 24_000), 10.7),
    ]
    assert not any(collector.add(event, now) for event, now in story)
    assert collector.add(STOP, 11)
    reply = collector.reply()
    assert reply.first_audio_ms == pytest.approx(400)
    assert replace(reply, first_audio_ms=400.0) == SpokenReply(
        transcript="what time is it",
        confidence=0.9,
        text="It is noon. Anything else?",
        first_audio_ms=400.0,
        pcm=b"\1\0" * 240 + b"\2\0" * 240,
        rate_hz=24_000,
        emotion="happy",
    )
    assert reply.audio_s == pytest.approx(0.02)


def test_what_another_turn_says_before_is_not_ours():
    collector = ReplyCollector("l1", 0)
    for event in (sentence("A timer rings."), Audio(b"p", b"\1\1"), STOP, Stt(text="other", id="l0")):
        assert not collector.add(event, 1)
    assert collector.reply() == SpokenReply("", 0.0, "", None)
    collector.add(Stt(text="mine", id="l1"), 2)
    assert collector.add(STOP, 3)
    assert collector.reply().transcript == "mine"


def test_a_server_that_gives_no_ids():
    collector = ReplyCollector("l1", 0)
    collector.add(Stt(text="mine"), 1)
    collector.add(Tts(state=TtsState.SENTENCE_START), 1)
    assert collector.add(STOP, 2)
    assert collector.reply().text == ""


def test_an_error_about_it_is_raised_and_others_are_not():
    collector = ReplyCollector("l1", 0)
    assert not collector.add(Error(error_code="internal", error_message="x", id="other"), 1)
    with pytest.raises(ServerError, match="no ears"):
        collector.add(Error(error_code="stt_failed", error_message="no ears", id="l1"), 1)
    with pytest.raises(ServerError):
        collector.add(Error(error_code="internal", error_message="x"), 1)


@pytest.mark.parametrize(
    ("sentences", "text"),
    [
        (["One.", "Two."], "One. Two."),
        (["One. ", "Two."], "One. Two."),
        (["现在是三点。", "还有别的吗？"], "现在是三点。还有别的吗？"),
        (["Hello.", "你好。", "Bye."], "Hello.你好。Bye."),
        ([], ""),
    ],
)
def test_sentences_are_joined_as_they_are_written(sentences, text):
    assert join_sentences(sentences) == text


def test_the_question_is_a_file_or_pcm(tmp_path: Path):
    wav = tmp_path / "q.wav"
    write_wav(wav, b"\1\0" * 100, 22_050)
    assert load_question(wav, None) == (b"\1\0" * 100, 22_050)
    assert load_question(str(wav), None) == (b"\1\0" * 100, 22_050)
    assert load_question(b"\1\0", 8_000) == (b"\1\0", 8_000)


def test_questions_that_are_none(tmp_path: Path):
    wav = tmp_path / "silent.wav"
    write_wav(wav, b"", 16_000)
    with pytest.raises(AudioFileError, match=r"silent\.wav.*no sound"):
        load_question(wav, None)
    with pytest.raises(AudioFileError, match="cannot be read"):
        load_question(tmp_path / "none.wav", None)
    with pytest.raises(AudioError, match="rate_hz"):
        load_question(b"\1\0", None)
    with pytest.raises(AudioError, match="no sound"):
        load_question(b"", 16_000)
