from __future__ import annotations

import re

import pytest
from tests.skills.conftest import Talks

from lumi.skills.catalogue import load


@pytest.mark.parametrize(("language", "question"), [("en", "tell me a joke"), ("zh", "讲个笑话")])
async def test_tells_every_joke_before_it_repeats_one(language: str, question: str, talks: Talks) -> None:
    talk = talks(language)
    jokes = load("zh" if language == "zh" else "en").responses["stories.joke"]
    told = [await talk.say(question) for _ in jokes]
    assert sorted(told) == sorted(jokes)
    assert await talk.say(question) in jokes


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_story_has_three_sentences_and_more(language: str) -> None:
    for story in load("zh" if language == "zh" else "en").responses["stories.story"]:
        assert len(re.findall(r"[.。]", story)) >= 3
