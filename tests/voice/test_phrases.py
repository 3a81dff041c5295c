import pytest

from lumi.voice.language import language_of
from lumi.voice.phrases import Phrase, phrase


@pytest.mark.parametrize("occasion", Phrase)
def test_every_occasion_has_words_in_both_languages(occasion: Phrase) -> None:
    assert language_of(phrase(occasion, "zh"), "") == "zh"
    assert language_of(phrase(occasion, "en"), "") == "en"
    assert phrase(occasion, "fr") == phrase(occasion, "en")
