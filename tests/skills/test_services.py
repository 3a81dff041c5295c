from __future__ import annotations

import pytest
from tests.skills.conftest import Talk

from lumi.skills.catalogue import load
from lumi.skills.services import ServicesSkill


def test_every_service_has_words_of_its_own() -> None:
    intents = set(ServicesSkill().handlers)
    for language in ("en", "zh"):
        catalogue = load("zh" if language == "zh" else "en")
        assert intents <= set(catalogue.intents.intents)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("what is the weather like", "weather service"),
        ("turn on the lights", "Home Assistant"),
        ("play some music", "music service"),
        ("louder", "buttons"),
        ("go forward ten meters", "robot"),
        ("今天天气怎么样", "天气服务"),
        ("打开风扇", "Home Assistant"),
        ("大声点", "按键"),
    ],
)
async def test_says_what_to_connect(question: str, names: str, talk: Talk) -> None:
    reply = await talk.ask(question)
    assert reply.emotion == "embarrassed"
    assert names in reply.text
