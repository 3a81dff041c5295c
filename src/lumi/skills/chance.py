"""Coins, dice and random numbers."""

from __future__ import annotations

import random
from collections.abc import Mapping

from lumi.skills.durations import and_join
from lumi.skills.skill import Handler, Reply, Request

MAX_DICE = 20
MAX_SIDES = 1000
MAX_NUMBER = 10**12


class ChanceSkill:
    """`rng` decides; pass `random.SystemRandom()` for chance, a seeded `random.Random` for tests."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {
            "FlipCoin": self._coin,
            "RollDice": self._dice,
            "RandomNumber": self._number,
            "Choose": self._choose,
        }

    async def _coin(self, request: Request) -> Reply:
        return request.say(self._rng.choice(("chance.heads", "chance.tails")), "winking")

    async def _dice(self, request: Request) -> Reply:
        count, sides = request.slot("count", int), request.slot("sides", int)
        count, sides = (1 if count is None else count), (6 if sides is None else sides)
        if not 1 <= count <= MAX_DICE or not 2 <= sides <= MAX_SIDES:
            return request.say("chance.too_many_dice", "confused", dice=MAX_DICE, sides=MAX_SIDES)
        thrown = [self._rng.randint(1, sides) for _ in range(count)]
        if count == 1:
            return request.say("chance.die", "happy", number=thrown[0])
        numbers = and_join([str(number) for number in thrown], request.language)
        return request.say("chance.dice", "happy", numbers=numbers, total=sum(thrown))

    async def _number(self, request: Request) -> Reply:
        low, high = request.slot("low", int), request.slot("high", int)
        low, high = (1 if low is None else low), (100 if high is None else high)
        low, high = min(low, high), max(low, high)
        if high - low > MAX_NUMBER:
            return request.say("chance.too_far", "confused")
        return request.say("chance.number", "happy", number=self._rng.randint(low, high))

    async def _choose(self, request: Request) -> Reply | None:
        left, right = request.slot("item", str), request.slot("label", str)
        if left is None or right is None:
            return None
        return request.say("chance.choice", "thinking", choice=self._rng.choice((left, right)))
