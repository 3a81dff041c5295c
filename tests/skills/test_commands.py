from __future__ import annotations

import pytest
from tests.skills.conftest import Talks

from lumi.engines.base import ChatMessage, Prompt, TextDelta
from lumi.errors import EngineError
from lumi.skills.assistant import SkillsLlm
from lumi.skills.commands import SkillsFirst
from lumi.testing.engines import ScriptedLlm


async def answered(front: SkillsFirst, *messages: ChatMessage) -> str:
    said = [event async for event in front.reply(Prompt(messages))]
    return "".join(event.text for event in said if isinstance(event, TextDelta))


@pytest.mark.parametrize(
    ("text", "at_once"),
    [
        ("Stop.", True),
        ("set a timer for five minutes", True),
        ("Could you please set a timer for five minutes?", True),
        ("snooze", True),
        ("wake me at seven", True),
        ("how much time is left", True),
        ("cancel all timers", True),
        ("停", True),
        ("设一个五分钟的计时器", True),
        ("set a timer for five minutes and turn on the light", False),
        ("set a timer for as long as an egg needs", False),
        ("stop the music in the kitchen", False),
        ("why do trains stop at night", False),
        ("what time is it", False),
        ("tell me a joke", False),
        ("add milk to my shopping list", False),
        ("set a pasta timer for ten minutes", False),
        ("turn on the light", False),
        ("hello", False),
        ("", False),
    ],
)
async def test_only_exact_commands_are_answered_at_once(talks: Talks, text: str, at_once: bool):
    talk = talks()

    async def skills() -> SkillsLlm:
        return talk.llm

    llm = ScriptedLlm(lambda _: "From the model.")
    front = SkillsFirst(llm, skills)
    assert (await answered(front, ChatMessage("user", text)) == "From the model.") is not at_once
    assert llm.calls == (0 if at_once else 1)
    assert front.name == llm.name
    await front.aclose()
    assert not llm.closed


async def test_tools_results_go_to_the_model(talks: Talks):
    talk = talks()

    async def skills() -> SkillsLlm:
        return talk.llm

    front = SkillsFirst(ScriptedLlm(lambda _: "From the model."), skills)
    dialogue = (ChatMessage("user", "stop"), ChatMessage("tool", "stop", tool_call_id="1"))
    assert await answered(front, *dialogue) == "From the model."
    with pytest.raises(EngineError, match="broke off"):
        await talk.llm.answer(Prompt(dialogue))
