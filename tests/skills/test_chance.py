from __future__ import annotations

import re

import pytest
from tests.skills.conftest import Talk


@pytest.mark.parametrize(
    ("question", "low", "high"),
    [
        ("roll a die", 1, 6),
        ("roll a 20 sided die", 1, 20),
        ("random number between 5 and 7", 5, 7),
        ("random number between 7 and 5", 5, 7),
        ("pick a random number", 1, 100),
        ("pick a number up to 3", 1, 3),
        ("掷骰子", 1, 6),
        ("说一个1到3的随机数", 1, 3),
    ],
)
async def test_stays_in_range_and_reaches_its_ends(question: str, low: int, high: int, talk: Talk) -> None:
    found = {int(re.findall(r"\d+", await talk.say(question))[-1]) for _ in range(30 if high < 100 else 900)}
    assert min(found) >= low
    assert max(found) <= high
    if high <= 7:
        assert found == set(range(low, high + 1))


async def test_both_sides_of_a_coin_come(talk: Talk) -> None:
    assert {await talk.say("flip a coin") for _ in range(20)} == {"Heads.", "Tails."}
    assert {await talk.say("抛硬币") for _ in range(20)} == {"正面。", "反面。"}


@pytest.mark.parametrize(
    "question",
    [
        "roll 21 dice",
        "roll zero dice",
        "roll a one sided die",
        "roll a 1001 sided die",
        "random number between 0 and 10000000000000",
    ],
)
async def test_refuses_what_makes_no_sense(question: str, talk: Talk) -> None:
    assert (await talk.ask(question)).emotion == "confused"


async def test_the_sum_of_the_dice_is_right(talk: Talk) -> None:
    numbers = [int(number) for number in re.findall(r"\d+", await talk.say("roll five dice"))]
    assert len(numbers) == 6
    assert sum(numbers[:5]) == numbers[5]


async def test_chooses_one_of_two(talk: Talk) -> None:
    assert {await talk.say("choose tea or coffee") for _ in range(20)} == {
        "I'd take tea.",
        "I'd take coffee.",
    }
    assert await talk.say("喝茶还是咖啡你选") in {"我选喝茶。", "我选咖啡。"}
