"""An `Llm` that is made in a thread of its own: reading templates takes longer than a hello."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from lumi.engines.base import Llm, LlmEvent, Prompt

L = TypeVar("L", bound=Llm)


class LateLlm(Generic[L]):
    """Stands for the engine that `make` returns. `start` makes it; who asks before that waits for it.

    It is no model: it answers whole questions, and cannot finish what another one began to say.

    Args:
        name: the engine's.
        make: run in a thread, once.
    """

    continues = False

    def __init__(self, name: str, make: Callable[[], L]) -> None:
        self.name = name
        self._make = make
        self._lock = asyncio.Lock()
        self._llm: L | None = None

    async def start(self) -> None:
        """Make the engine now."""
        await self.made()

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        llm = await self.made()
        async for event in llm.reply(prompt):
            yield event

    async def aclose(self) -> None:
        if self._llm is not None:
            await self._llm.aclose()

    async def made(self) -> L:
        """The engine itself."""
        async with self._lock:
            if self._llm is None:
                self._llm = await asyncio.to_thread(self._make)
            return self._llm
