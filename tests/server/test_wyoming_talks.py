import asyncio

import pytest

from lumi.engines.base import Speaker
from lumi.errors import EngineError
from lumi.server.generations import Generation, Generations
from lumi.server.kit import Kit, SessionSettings
from lumi.server.wyoming_talks import MAX_TALKS, Answered, Asked, Talks, speaker_of
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts


class Leasing:
    """Of all services, the one that talks need."""

    def __init__(self, llm: ScriptedLlm) -> None:
        self.for_session = lambda _tools: self
        self.lease = Generations(Generation.of(Kit(ScriptedStt(), llm, ScriptedTts()))).lease


def talks(llm: ScriptedLlm) -> Talks:
    ids = iter(map(str, range(10_000)))
    return Talks(Leasing(llm), lambda: next(ids))  # type: ignore[arg-type]


def asked(text: str, talk: str = "t", language: str = "") -> Asked:
    return Asked(text, talk, "wyoming", language)


def said(llm: ScriptedLlm) -> list[str]:
    return [message.content for message in llm.prompts[-1].messages]


async def test_a_conversation_remembers():
    llm = ScriptedLlm({"one": "1", "two": "2"})
    house = talks(llm)
    assert await house.answer(asked("one")) == Answered("1")
    assert await house.answer(asked("two", "other")) == Answered("2")
    assert said(llm) == ["two"]
    await house.answer(asked("two"))
    assert said(llm) == ["one", "1", "two"]


async def test_texts_of_one_conversation_wait_for_each_other():
    llm = ScriptedLlm({"one": "1", "two": "2"}, delay_s=1.0)
    house = talks(llm)
    await asyncio.gather(house.answer(asked("one")), house.answer(asked("two")))
    assert said(llm) == ["one", "1", "two"]


async def test_what_came_to_nothing_leaves_no_trace():
    llm = ScriptedLlm({"fail": [EngineError("llm", "broken")], "slow": [60.0, "never"]})
    house = talks(llm)
    english = await house.answer(asked("fail", language="en-GB"))
    chinese = await house.answer(asked("fail", language="zh-Hans"))
    assert english.failed
    assert chinese.failed
    assert english.text != chinese.text
    task = asyncio.create_task(house.answer(asked("slow")))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await house.answer(asked("hello"))
    assert said(llm) == ["hello"]


async def test_only_so_many_are_remembered():
    llm = ScriptedLlm()
    house = talks(llm)
    for number in range(MAX_TALKS + 1):
        await house.answer(asked("hello", str(number)))
    assert len(house) == MAX_TALKS
    await house.answer(asked("again", "0"))
    assert said(llm) == ["again"]


def test_who_speaks():
    settings = SessionSettings(language="zh", timezone="Asia/Shanghai")
    assert speaker_of(asked("x", language="EN-us"), "1", settings).language == "en"
    assert speaker_of(asked("x", language="fr"), "1", settings) == Speaker(
        "wyoming", "t", "1", "zh", settings.locale, "Asia/Shanghai"
    )
