import pytest

from lumi.errors import EngineError, EngineTimeSpent, Trouble
from lumi.voice.events import Stage
from lumi.voice.language import language_of
from lumi.voice.phrases import Phrase, excuse, phrase, worth_saying


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
        (121, "again in 3 minutes.", "请3分钟后再试"),
        (3_600, "again in 60 minutes.", "请60分钟后再试"),
        (3_601, "again later.", "请稍后再试"),
    ],
)
def test_who_is_busy_says_for_how_long(seconds: float | None, english: str, chinese: str) -> None:
    error = EngineError("far", "429", trouble=Trouble.BUSY, retry_after_s=seconds)
    assert english in excuse(Stage.LLM, error, "en")
    assert chinese in excuse(Stage.LLM, error, "zh-CN")


def test_who_has_had_its_engine_time_is_told_now_and_then_and_of_all_else_one_is_told_always() -> None:
    told = iter((True, False))
    spent = EngineTimeSpent(60.0, 90.0, aloud=lambda: next(told))
    assert "this device has talked enough for this hour. Please try again in 90 seconds" in excuse(
        Stage.LLM, spent, "en"
    )
    assert [worth_saying(spent), worth_saying(spent)] == [True, False]
    assert worth_saying(EngineError("x", "broke"))
