from __future__ import annotations

import re

import pytest
from tests.skills.conftest import Talks


@pytest.mark.parametrize(
    ("language", "question"),
    [("en", "what can you do"), ("zh", "你会做什么"), ("en", "blub"), ("zh", "咕噜")],
)
async def test_the_examples_it_names_work(language: str, question: str, talks: Talks) -> None:
    answer = await talks(language).say(question)
    examples = re.findall("“(.+?)”", answer)
    assert len(examples) >= 2
    for example in examples:
        assert (await talks(language).ask(example)).emotion != "confused"
