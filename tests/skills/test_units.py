from __future__ import annotations

import pytest
from tests.skills.conftest import Talk


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("how many feet are in a mile", "1 mile is 5280 feet."),
        ("what is 37 celsius in fahrenheit", "37 degrees Celsius is 98.6 degrees Fahrenheit."),
        ("how many miles are in one meter", "1 meter is about 0.000621371 miles."),
        (
            "convert a kilogram to hours",
            "1 kilogram cannot be turned into hours: they measure different things.",
        ),
        (
            "what is minus 500 fahrenheit in celsius",
            "-500 degrees Fahrenheit is colder than anything can be.",
        ),
        ("37摄氏度是多少华氏度", "37摄氏度是98.6华氏度。"),
        ("一公里等于多少里", "1公里是2里。"),
        ("五公斤是多少小时", "5公斤不能换算成小时，它们量的不是一回事。"),
    ],
)
async def test_converts_or_says_why_not(question: str, answer: str, talk: Talk) -> None:
    assert await talk.say(question) == answer
