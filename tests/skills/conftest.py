"""A person who talks to the skills, at a fixed moment: Wednesday, 2025-07-23, 15:25 in Shanghai."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from lumi.engines.base import ChatMessage, Prompt, Speaker
from lumi.skills.assistant import SkillsLlm
from lumi.skills.skill import Reply
from lumi.skills.timers import TimerService
from lumi.store.base import Timer
from lumi.store.memory import MemoryStore

NOW = 1_753_255_500.0


class Talk:
    """One device's dialogue. `rung` is what its timers said; set `away` and nobody hears them."""

    def __init__(self, speaker: Speaker, seed: int, store: MemoryStore | None = None) -> None:
        self.now = NOW
        self.store = store or MemoryStore()
        self.speaker = speaker
        self.rung: list[str] = []
        self.away = False
        self.timers = TimerService(self.store.timers, lambda: self.now, self._ring)
        self.llm = SkillsLlm(
            timers=self.timers, lists=self.store.lists, clock=lambda: self.now, rng=random.Random(seed)
        )
        self.dialogue: list[ChatMessage] = []

    async def _ring(self, _: Timer, text: str) -> bool:
        if not self.away:
            self.rung.append(text)
        return not self.away

    async def ask(self, text: str) -> Reply:
        self.dialogue.append(ChatMessage("user", text))
        reply = await self.llm.answer(Prompt(tuple(self.dialogue), self.speaker))
        self.dialogue.append(ChatMessage("assistant", reply.text))
        return reply

    async def say(self, text: str) -> str:
        return (await self.ask(text)).text


Talks = Callable[..., Talk]


@pytest.fixture
def talks() -> Talks:
    def begin(
        language: str = "en",
        *,
        locale: str = "",
        timezone: str = "Asia/Shanghai",
        device: str = "kitchen",
        seed: int = 7,
        store: MemoryStore | None = None,
    ) -> Talk:
        locale = locale or {"en": "en_US", "zh": "zh_CN"}[language]
        return Talk(Speaker(device, language=language, locale=locale, timezone=timezone), seed, store)

    return begin


@pytest.fixture
def talk(talks: Talks) -> Talk:
    return talks()
