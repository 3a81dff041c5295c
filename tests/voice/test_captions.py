import pytest

from lumi.voice.captions import HAN_MS, LETTER_MS, Captions, likely_ms


def test_what_words_take_to_say():
    assert likely_ms("abc") == 3 * LETTER_MS
    assert likely_ms("中文a") == 2 * HAN_MS + LETTER_MS


def test_a_sentence_is_due_when_the_one_before_has_been_spoken():
    captions = Captions()
    captions.write("It is noon. Time")
    assert captions.due
    assert captions.begin().text == "It is noon."
    captions.write(" for tea. ")
    assert not captions.due
    captions.speak(likely_ms("It is noon."))
    assert captions.due
    over = captions.turn_page()
    assert over is not None
    assert over.index == 0
    assert captions.begin().text == "Time for tea."
    captions.speak(likely_ms("Time for tea.") / 2)
    assert captions.spoken == "It is noon. Time for"
    assert (captions.count, captions.text) == (2, "It is noon. Time for tea. ")


@pytest.mark.parametrize(("written", "shown"), [("", "…"), ("Half a", "Half a")])
def test_where_no_whole_sentence_came_what_there_is_has_to_do(written, shown):
    captions = Captions()
    captions.write(written)
    assert not captions.waiting
    captions.flush("…")
    assert captions.begin().text == shown


def test_without_words_there_is_nothing():
    captions = Captions()
    captions.flush()
    assert not captions.due
    assert captions.turn_page() is None
    captions.speak(100)
    assert captions.spoken == ""
