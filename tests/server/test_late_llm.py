import asyncio

import pytest

from lumi.engines.base import ChatMessage, Prompt
from lumi.errors import EngineUnavailable
from lumi.server.late_llm import LateLlm
from lumi.testing.engines import ScriptedLlm

PROMPT = Prompt((ChatMessage("user", "hi"),))


async def answer(llm: LateLlm[ScriptedLlm]) -> str:
    return "".join([event.text async for event in llm.reply(PROMPT)])  # type: ignore[union-attr]


async def test_who_asks_first_has_it_made_and_all_get_the_same():
    made = []

    def make() -> ScriptedLlm:
        made.append(ScriptedLlm())
        return made[-1]

    llm = LateLlm("late", make)
    assert llm.name == "late"
    assert made == []
    answers = await asyncio.gather(answer(llm), llm.start(), answer(llm))
    assert answers[0] == answers[2] == "You said: hi. That is all."
    assert len(made) == 1


async def test_closing_closes_what_was_made_if_it_was():
    closed = []

    class Closing(ScriptedLlm):
        async def aclose(self) -> None:
            closed.append(True)

    llm = LateLlm("late", Closing)
    await llm.aclose()
    assert closed == []
    await llm.start()
    await llm.aclose()
    assert closed == [True]


async def test_what_cannot_start_says_so():
    def make() -> ScriptedLlm:
        raise EngineUnavailable("late", "install it")

    with pytest.raises(EngineUnavailable, match="install it"):
        await LateLlm("late", make).start()
