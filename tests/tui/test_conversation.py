from __future__ import annotations

from lumi.client.error_handler import explain
from lumi.client.events import Event
from lumi.errors import AudioDeviceError, ServerError
from lumi.protocol.messages import (
    Error,
    Goodbye,
    LlmEmotion,
    Metrics,
    Notify,
    Response,
    Stt,
    Tts,
    TtsState,
)
from lumi.tui.conversation import Conversation
from lumi.tui.entries import Progress, Speaker
from lumi.tui.wording import NO_MICROPHONE, NOTHING_HEARD, Words


def after(*events: Event) -> Conversation:
    conversation = Conversation()
    for event in events:
        conversation.feed(event)
    return conversation


def shown(conversation: Conversation) -> list[tuple[str, str, str]]:
    return [(one.speaker.value, one.words.en, one.progress.value) for one in conversation.entries]


def delta(text: str, key: str = "q") -> Response:
    return Response(id=key, delta=text, is_final=False)


def sentence(text: str) -> Tts:
    return Tts(state=TtsState.SENTENCE_START, text=text)


START, STOP = Tts(state=TtsState.START), Tts(state=TtsState.STOP)


def test_an_answer_grows_until_its_whole_text_is_there():
    conversation = after(delta("It "), delta("is"))
    assert shown(conversation) == [("lumi", "It is", "growing")]
    conversation.feed(Response(id="q", content="It is noon."))
    assert shown(conversation) == [("lumi", "It is noon.", "done")]
    conversation.feed(delta(" late"))
    conversation.feed(Response(id="q", content="It is noon."))
    assert shown(conversation) == [("lumi", "It is noon.", "done")]


def test_a_delta_without_text_is_an_empty_one():
    assert shown(after(Response(id="q", is_final=False))) == [("lumi", "", "growing")]


def test_an_answer_in_one_piece_and_answers_without_an_id():
    conversation = after(Response(id="q", content="Yes."), Response(id=None, content="A"))
    conversation.feed(Response(id=None, content="B"))
    assert [text for _, text, _ in shown(conversation)] == ["Yes.", "A", "B"]


def test_what_you_type_waits_until_it_is_sent():
    conversation = Conversation()
    conversation.said("hi", "q")
    assert shown(conversation) == [("you", "hi", "waiting")]
    conversation.sent("q")
    assert shown(conversation) == [("you", "hi", "done")]
    conversation.unsent("q")
    assert shown(conversation) == [("you", "hi", "waiting")]


def test_a_second_try_begins_its_answer_anew():
    conversation = Conversation()
    conversation.said("hi", "q")
    conversation.sent("q")
    conversation.feed(delta("Hel"))
    conversation.unsent("q")
    conversation.sent("q")
    conversation.feed(delta("Hello"))
    assert shown(conversation)[1] == ("lumi", "Hello", "growing")


def test_sending_again_what_was_answered_keeps_the_answer():
    conversation = after(Response(id="q", content="Yes."))
    conversation.sent("q")
    assert shown(conversation) == [("lumi", "Yes.", "done")]


def test_a_refused_message_is_marked_and_explained_once():
    conversation = Conversation()
    conversation.said("hi", "q")
    conversation.feed(delta("Hm"))
    error = ServerError("llm_failed", "the model is away", retryable=True)
    conversation.failed("q", error)
    conversation.trouble(error)
    assert shown(conversation)[:2] == [("you", "hi", "unsent"), ("lumi", "Hm", "done")]
    assert len(shown(conversation)) == 3
    last = conversation.entries.last()
    assert last is not None
    assert last.speaker is Speaker.ERROR
    assert last.words == Words(explain(error, "zh").line, explain(error, "en").line)
    assert "the model is away" in last.words.en


def test_an_error_nobody_asked_for_is_shown():
    ((speaker, text, _),) = shown(after(Error(error_code="internal", error_message="a wheel came off")))
    assert speaker == "error"
    assert "a wheel came off" in text


def test_a_spoken_turn():
    conversation = after(Stt(text="what ti", is_final=False))
    assert conversation.heard == "what ti"
    conversation.feed(Stt(text="what time is it"))
    assert conversation.heard == ""
    conversation.feed(LlmEmotion("happy", "🙂"))
    conversation.feed(START)
    assert conversation.speaking == ""
    conversation.feed(sentence("It is noon."))
    conversation.feed(sentence("Lunch!"))
    assert conversation.speaking == "Lunch!"
    assert shown(conversation) == [
        ("you", "what time is it", "done"),
        ("lumi", "It is noon. Lunch!", "growing"),
    ]
    conversation.feed(STOP)
    assert conversation.speaking is None
    last = conversation.entries.last()
    assert last is not None
    assert (last.progress, last.emotion) == (Progress.DONE, "🙂")


def test_the_next_spoken_turn_has_an_entry_and_a_mood_of_its_own():
    conversation = after(
        LlmEmotion("sad", "😔"), START, sentence("One."), STOP, START, sentence("Two."), STOP
    )
    assert [(one.words.en, one.emotion) for one in conversation.entries] == [("One.", "😔"), ("Two.", "")]


def test_sentences_without_text_and_turns_without_sentences_leave_nothing():
    conversation = after(START, Tts(state=TtsState.SENTENCE_START), Tts(state=TtsState.SENTENCE_END), STOP)
    assert shown(conversation) == []


def test_speech_without_words_says_so():
    (entry,) = after(Stt(text="")).entries
    assert entry.words == NOTHING_HEARD


def test_a_bell_is_read_once_though_it_is_spoken_too():
    conversation = after(
        Notify(id="n", kind="timer", text="The tea is ready."), START, sentence("The tea is ready."), STOP
    )
    assert shown(conversation) == [("bell", "The tea is ready.", "done")]
    conversation.feed(START)
    conversation.feed(sentence("The tea is ready."))
    assert shown(conversation)[-1][0] == "lumi"


def test_a_bell_whose_speech_was_faster_takes_its_place():
    bell = Notify(id="n", kind="timer", text="The tea is ready.")
    conversation = after(START, sentence("The tea is ready."), bell, STOP)
    assert shown(conversation) == [("bell", "The tea is ready.", "done")]
    conversation = after(START, sentence("Once upon a time."), bell, STOP)
    assert [speaker for speaker, _, _ in shown(conversation)] == ["lumi", "bell"]


def test_a_goodbye_tells_its_reason():
    texts = [text for _, text, _ in shown(after(Goodbye(reason="restart"), Goodbye()))]
    assert texts == ["The server says goodbye: restart", "The server says goodbye: –"]


def test_what_is_nothing_to_read_is_passed_by():
    assert shown(after(Metrics(turn_id="t", stages={}))) == []


def test_when_the_line_is_lost_nothing_is_left_half_said():
    conversation = after(delta("It i"), Stt(text="wh", is_final=False), START, sentence("One."))
    conversation.line_lost()
    assert (conversation.heard, conversation.speaking) == ("", None)
    assert {progress for _, _, progress in shown(conversation)} == {"done"}


def test_a_missing_device_is_a_remark_and_says_why():
    conversation = Conversation()
    conversation.lacking(NO_MICROPHONE, AudioDeviceError("this machine has no microphone"))
    conversation.notice(Words("好", "ok"))
    conversation.notice(Words("好", "ok"))
    first, _ = conversation.entries
    assert first.speaker is Speaker.NOTICE
    assert first.words.en == "You cannot talk: this machine has no microphone"
    assert first.words.zh.startswith("没有麦克风，不能说话：请检查声卡")
