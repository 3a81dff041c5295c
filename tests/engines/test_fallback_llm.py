import asyncio
from typing import Any

import pytest

from lumi.engines.base import ChatMessage, EmotionHint, Image, LlmEvent, Prompt, TextDelta, ToolCall
from lumi.engines.fallback_llm import FallbackLlm
from lumi.engines.roster import Member, Roster
from lumi.errors import EngineError, Trouble
from lumi.testing.engines import ScriptedLlm

BROKEN = EngineError("first", "it broke")
PROMPT = Prompt((ChatMessage("user", "capital of Australia?"),))
CALL = ToolCall("1", "lamp", "{}")


def listed(*engines: Any, slow_s: float = 4.0) -> FallbackLlm:
    members: list[Any] = [Member(str(place), "llm.engine", engine) for place, engine in enumerate(engines)]
    return FallbackLlm(Roster("llm", members, slow_s=slow_s))


def saying(*pieces: Any) -> ScriptedLlm:
    return ScriptedLlm(lambda _: pieces)


async def events(llm: FallbackLlm) -> list[LlmEvent]:
    return [event async for event in llm.reply(PROMPT)]


def text(given: list[LlmEvent]) -> str:
    return "".join(event.text for event in given if isinstance(event, TextDelta))


async def test_the_first_model_answers_while_it_works():
    second = saying("two")
    assert text(await events(listed(saying("It is ", "Can", "berra."), second))) == "It is Canberra."
    assert second.calls == 0


async def test_before_the_first_word_the_next_is_asked_the_same():
    second = saying("It is Canberra.")
    given = await events(listed(saying(EmotionHint("happy"), BROKEN), second))
    assert text(given) == "It is Canberra."
    assert second.prompts == [PROMPT]


async def test_one_that_says_nothing_for_too_long_is_passed_over():
    began = asyncio.get_running_loop().time()
    llm = listed(saying(100.0, "late"), saying("It is Canberra."))
    assert text(await events(llm)) == "It is Canberra."
    assert asyncio.get_running_loop().time() - began == pytest.approx(4)
    assert llm.roster.report()[0].trouble is Trouble.SLOW


@pytest.mark.parametrize("broken", [BROKEN, 100.0])
async def test_in_the_middle_the_next_goes_on_from_there(broken):
    second = saying(EmotionHint("sad"), "Canberra", ", a quiet city.")
    given = await events(listed(saying(EmotionHint("happy"), "Sure. It", " is Can", broken), second))
    assert text(given) == "Sure. It is Canberra, a quiet city."
    assert [event for event in given if isinstance(event, EmotionHint)] == [EmotionHint("happy")]
    assert second.prompts[0].messages[1] == ChatMessage("assistant", "Sure. It is ")


async def test_a_third_finishes_what_two_began():
    third = saying("of Australia.")
    llm = listed(saying("Canberra is ", BROKEN), saying("the capital ", BROKEN), third)
    assert text(await events(llm)) == "Canberra is the capital of Australia."
    assert third.prompts[0].messages[1].content == "Canberra is the capital "


async def test_one_that_cannot_go_on_is_passed_over_in_the_middle():
    class Whole(ScriptedLlm):
        continues = False

    skills = Whole(lambda _: "I cannot.")
    llm = listed(saying("It is ", BROKEN), skills)
    with pytest.raises(EngineError, match="first: it broke"):
        await events(llm)
    assert skills.calls == 0
    assert text(await events(listed(saying(BROKEN), skills))) == "I cannot."
    assert llm.continues
    assert not listed(skills).continues


async def test_after_a_tool_call_nobody_calls_it_again():
    second = saying(CALL)
    given = await events(listed(saying("One mom", CALL, BROKEN), second))
    assert given == [TextDelta("One "), TextDelta("mom"), CALL]
    assert second.calls == 0


async def test_when_all_fail_the_first_ones_error_is_told():
    with pytest.raises(EngineError, match="first: it broke"):
        await events(listed(saying(BROKEN), saying(EngineError("second", "too"))))


async def test_the_only_model_is_waited_for():
    assert text(await events(listed(saying(100.0, "late")))) == "late"


async def test_a_turn_that_is_cut_off_stops_the_model():
    first, second = saying("a ", 100.0, "b "), saying("c")
    llm = listed(first, second, slow_s=50)

    async def read() -> None:
        await events(llm)

    task = asyncio.create_task(read())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait({task})
    assert first.finished == second.calls == 0
    assert llm.roster.report()[0].state == "closed"
    await llm.start()
    await llm.aclose()
    assert first.closed
    assert second.closed


class Seeing(ScriptedLlm):
    sees_images = True


async def test_only_those_that_look_at_pictures_are_asked_about_one():
    blind, seeing = saying("no idea"), Seeing(lambda _: ["a cup"])
    llm = listed(blind, seeing)
    assert llm.sees_images
    assert not listed(blind).sees_images
    picture = ChatMessage("user", "what is it", images=(Image(b"x", "image/png"),))
    assert text([event async for event in llm.reply(Prompt((picture,)))]) == "a cup"
    assert blind.calls == 0
