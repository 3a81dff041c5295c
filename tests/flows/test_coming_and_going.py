"""A device that comes back over lines that break at any moment: numbers without a gap, every chat answered once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from lumi.errors import ConnectionLost
from lumi.testing.device import FakeDevice
from lumi.testing.engines import ScriptedLlm
from lumi.testing.rehearsal import Rehearsal, spoken

FEATURES = {"resume": True, "notify": True, "turns": True}
WAITS_S = (0, 0, 0.01, 0.3, 2, 6)
AWAY_S = (0, 0.01, 1, 5, 100, 400)
LIVES = 4


class Walker:
    """One device; a life of it is one connection."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.session_id: str | None = None
        self.received = 0
        self.asked: dict[str, str] = {}
        self.answers: dict[str, set[str]] = {}
        self.complaints: list[str] = []
        self.made: Counter[str] = Counter()

    def answer(self, text: str) -> str:
        self.made[text] += 1
        return f"To {text}: it is noon. Time to eat. And then to sleep a little."

    async def live(self, house: Rehearsal, acts: int, seconds: float) -> None:
        """Come back, ask again what is unanswered, do something, and lose the line."""
        link = house.link()
        async with FakeDevice(link) as device:
            resume = {"session_id": self.session_id, "received": self.received}
            hello = await device.hello(features=FEATURES, **({"resume": resume} if self.session_id else {}))
            if hello["resumed"] is not (self.session_id is not None):
                self.complaints.append("another session")
            self.session_id = hello["session_id"]
            try:
                for chat_id in set(self.asked) - set(self.answers):
                    await device.send_chat(self.asked[chat_id], id=chat_id)
                for _ in range(acts):
                    await self.act(device, house)
                    await asyncio.sleep(self.chance.choice(WAITS_S))
                await asyncio.sleep(seconds)
            except ConnectionLost as lost:
                self.complaints.append(f"the server hung up: {lost}")
            link.cut()
        self.take(device.messages)

    async def act(self, device: FakeDevice, house: Rehearsal) -> None:
        number = len(self.asked)
        match self.chance.randrange(6):
            case 0 | 1:
                self.asked[f"c{number}"] = f"question {number}"
                await device.send_chat(f"question {number}", id=f"c{number}")
            case 2:
                await device.listen("detect", text="spoken words", id=f"l{number}")
            case 3:
                await device.abort()
            case 4:
                await device.listen("start", mode="manual", id=f"v{number}")
                await device.play(spoken(300))
                await device.listen("stop")
            case _:
                notice = f"n{self.chance.random()}"
                await house.sessions.push("test-device", "Ding.", kind="timer", notice_id=notice, due_at=0.0)

    def take(self, messages: list[dict[str, Any]]) -> None:
        """What came in this life."""
        for message in messages:
            if message["type"] == "error":
                self.complaints.append(message["error_message"])
            if "seq" in message:
                if message["seq"] != self.received + 1:
                    self.complaints.append(f"{message['seq']} after {self.received}")
                self.received = message["seq"]
            if message["type"] == "response" and message["id"] in self.asked:
                self.answers.setdefault(message["id"], set()).add(message["content"])

    def wrong(self) -> Iterator[str]:
        yield from self.complaints
        for chat_id, text in self.asked.items():
            if self.answers.get(chat_id) != {
                f"To {text}: it is noon. Time to eat. And then to sleep a little."
            }:
                yield f"{chat_id} had the answers {self.answers.get(chat_id)}"
            if self.made[text] != 1:
                yield f"the answer to {chat_id} was made {self.made[text]} times"


@pytest.mark.parametrize("seed", range(12))
async def test_nothing_is_lost_and_nothing_twice(seed: int) -> None:
    walker = Walker(seed)
    async with Rehearsal(llm=ScriptedLlm(walker.answer)) as house:
        for _ in range(LIVES):
            await walker.live(house, walker.chance.randint(1, 6), walker.chance.choice(WAITS_S))
            await asyncio.sleep(walker.chance.choice(AWAY_S))
        await walker.live(house, 0, 120)
    assert list(walker.wrong()) == []
    assert walker.asked


async def test_a_device_that_misses_something_finds_it_out() -> None:
    walker = Walker(1)
    walker.asked["c0"] = "never sent"
    walker.take([{"type": "notify", "seq": 2}, {"type": "error", "error_message": "no"}])
    assert list(walker.wrong()) == [
        "2 after 0",
        "no",
        "c0 had the answers None",
        "the answer to c0 was made 0 times",
    ]
