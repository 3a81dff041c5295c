import pytest

from lumi.voice.language import language_of


@pytest.mark.parametrize(
    ("text", "otherwise", "language"),
    [
        ("现在几点", "en", "zh"),
        ("what time", "zh", "en"),
        ("播放 music", "en", "zh"),
        ("17 + 4?", "zh", "zh"),
        ("", "en", "en"),
    ],
)
def test_the_script_tells_the_language(text: str, otherwise: str, language: str) -> None:
    assert language_of(text, otherwise) == language
