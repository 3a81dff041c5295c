import pytest

from lumi.errors import EngineError, Trouble
from lumi.voice.events import Stage
from lumi.voice.language import language_of
from lumi.voice.phrases import Phrase, excuse, phrase


@pytest.mark.parametrize("occasion", Phrase)
def test_every_occasion_has_words_in_both_languages(occasion: Phrase) -> None:
    assert language_of(phrase(occasion, "zh"), "") == "zh"
    assert language_of(phrase(occasion, "en"), "") == "en"
    assert phrase(occasion, "fr") == phrase(occasion, "en")


@pytest.mark.parametrize("trouble", Trouble)
@pytest.mark.parametrize("stage", [Stage.STT, Stage.LLM, Stage.TTS])
def test_every_trouble_has_short_words_in_both_languages(stage: Stage, trouble: Trouble) -> None:
    error = EngineError("far", "http://10.0.0.1/v1 said no", trouble=trouble)
    for language in ("zh", "en"):
        said = excuse(stage, error, language)
        assert language_of(said, "") == language
        assert len(said) < 90
        assert "http" not in said
    assert len({excuse(stage, EngineError("x", "", trouble=kind), "en") for kind in Trouble}) == len(Trouble)


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (None, "again later.", "请稍后再试"),
        (0.2, "again in 1 second.", "请1秒后再试"),
        (6.5, "again in 7 seconds.", "请7秒后再试"),
        (3_600, "again later.", "请稍后再试"),
    ],
)
def test_who_is_busy_says_for_how_long(seconds: float | None, english: str, chinese: str) -> None:
    error = EngineError("far", "429", trouble=Trouble.BUSY, retry_after_s=seconds)
    assert english in excuse(Stage.LLM, error, "en")
    assert chinese in excuse(Stage.LLM, error, "zh-CN")
