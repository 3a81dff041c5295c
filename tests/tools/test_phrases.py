from __future__ import annotations

import pytest

from lumi.engines.base import ChatMessage
from lumi.tools.phrases import Phrase, phrase, question, without_fillers


@pytest.mark.parametrize("occasion", Phrase)
@pytest.mark.parametrize("language", ["en", "zh", "fr"])
def test_there_are_words_for_every_occasion(occasion: Phrase, language: str):
    assert phrase(occasion, language, title="t", arguments="a")


def test_the_question_shows_what_was_asked_for():
    asked = question("unlock door", {"entity_id": "lock.front", "codes": [1, 2]}, "en")
    assert "unlock door, with entity id: lock.front, codes: [1, 2]?" in asked
    assert "“开门”（门: 前门）" in question("开门", {"门": "前门"}, "zh")
    assert "with" not in question("open all", {}, "en")


def test_long_values_are_cut():
    assert len(question("say", {"text": "x" * 5_000}, "en")) < 250


def test_a_model_does_not_see_the_words_that_passed_the_time():
    filler = phrase(Phrase.ONE_MOMENT, "zh")
    messages = [ChatMessage("user", filler), ChatMessage("assistant", filler + "灯开了。")]
    assert without_fillers(messages) == [ChatMessage("user", filler), ChatMessage("assistant", "灯开了。")]
