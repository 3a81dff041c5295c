from __future__ import annotations

from lumi.skills.catalogue import load
from lumi.skills.recognizer import MAX_CHARACTERS, candidates, read_slots

ENGLISH, CHINESE = load("en"), load("zh")


def test_most_literal_words_win() -> None:
    found = [candidate.intent for candidate in candidates("set a timer for five minutes", ENGLISH)]
    assert found[0] == "SetTimer"
    found = [candidate.intent for candidate in candidates("what time is it in tokyo", ENGLISH)]
    assert found[:2] == ["GetTimeIn", "GetUnknownPlace"]


def test_what_is_said_back_keeps_its_spelling() -> None:
    slots = next(candidates("add Parmigiano to my shopping list", ENGLISH)).slots
    assert (slots["item"], slots["list"]) == ("Parmigiano", "shopping")
    slots = next(candidates("把雞蛋加到購物清單", CHINESE)).slots
    assert (slots["item"], slots["list"]) == ("雞蛋", "shopping")


def test_the_words_themselves_come_before_the_words_without_courtesies() -> None:
    assert next(candidates("thank you", ENGLISH)).intent == "Thanks"
    assert next(candidates("can you repeat that", ENGLISH)).intent == "Repeat"
    assert next(candidates("could you please flip a coin for me", ENGLISH)).intent == "FlipCoin"


def test_long_and_empty_texts_are_nothing() -> None:
    assert not list(candidates("", ENGLISH))
    for word, catalogue in (("add milk to my list ", ENGLISH), ("把牛奶加到清单里", CHINESE)):
        most = MAX_CHARACTERS[catalogue.language]
        assert not list(candidates((word * most)[: most + 1].strip().ljust(most + 1, "x"), catalogue))
    assert next(candidates("add " + "x" * 100 + " to my list", ENGLISH)).intent == "ListAdd"


def test_a_slot_that_cannot_be_read_drops_the_candidate() -> None:
    assert read_slots({"sum": "what"}, "en") is None
    assert read_slots({"days": 1, "place": "Tokyo", "other": "x"}, "en") is not None
