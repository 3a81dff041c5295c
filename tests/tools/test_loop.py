"""The loop over a scripted model and scripted tools, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any, cast

import pytest

from lumi.engines.base import (
    ChatMessage,
    EmotionHint,
    Prompt,
    Speaker,
    TextDelta,
    ToolCall,
    ToolNote,
    ToolSpec,
)
from lumi.errors import EngineError, ToolError
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.testing.engines import ScriptedLlm, Step
from lumi.testing.tools import ScriptedTools
from lumi.tools.loop import CALLS_AT_ONCE, TOO_MANY, LoopSettings, ToolLoop
from lumi.tools.once import Once
from lumi.tools.phrases import Phrase, phrase
from lumi.tools.toolbox import BEFORE, Toolbox, ToolboxSettings

ON = ToolCall("a", "scripted_light_on", "{}")
DOOR = ToolSpec("open_door", "Opens a door.", {"type": "object"}, confirm=True)
OPEN = ToolCall("d", "scripted_open_door", '{"door": "front"}')
FILLER = phrase(Phrase.ONE_MOMENT, "en")


class Talk:
    """A dialogue with a loop."""

    def __init__(
        self, script: Mapping[str, Sequence[Step]], tools: ScriptedTools | None = None, **settings: Any
    ) -> None:
        self.llm = ScriptedLlm(steps=script)
        self.tools = tools or ScriptedTools()
        toolbox = Toolbox([self.tools], ToolboxSettings(), Once(MemoryStore().acts, WallClock()))
        self.loop = ToolLoop(self.llm, toolbox, LoopSettings(**settings))
        self.messages: list[ChatMessage] = []
        self.events: list[Any] = []
        self.heard_at: list[float] = []
        self.turns = 0

    async def say(self, text: str, language: str = "en") -> str:
        """What is answered; notes are kept apart."""
        self.turns += 1
        self.messages.append(ChatMessage("user", text))
        speaker = Speaker(device_id="d", turn_id=f"turn-{self.turns}", language=language)
        self.events, self.heard_at = [], []
        answer = ""
        began = asyncio.get_running_loop().time()
        async for event in self.loop.reply(Prompt(tuple(self.messages), speaker)):
            self.events.append(event)
            self.heard_at.append(asyncio.get_running_loop().time() - began)
            if isinstance(event, TextDelta):
                answer += event.text
        self.messages.append(ChatMessage("assistant", answer))
        return answer

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [
            (note.name, note.outcome) for note in self.events if isinstance(note, ToolNote) and note.outcome
        ]


async def test_without_calls_the_answer_is_the_models():
    talk = Talk({"hello": [[EmotionHint("happy"), "Hi ", "there."]]})
    assert await talk.say("hello") == "Hi there."
    assert talk.events == [EmotionHint("happy"), TextDelta("Hi "), TextDelta("there.")]
    assert talk.loop.name == "scripted-llm"
    assert [spec.name for spec in talk.llm.prompts[0].tools] == ["scripted_light_on"]


async def test_a_tool_is_called_and_its_result_answered():
    talk = Talk(
        {"light": [[ON], lambda results: f"Well: {results[0]}."]},
        ScriptedTools(results={"light_on": ["it is on"]}),
    )
    assert await talk.say("light") == "Well: it is on."
    assert talk.outcomes == [("scripted.light_on", "done")]
    asked = talk.llm.prompts[1].messages
    assert asked[-2:] == (
        ChatMessage("assistant", "", tool_calls=(ON,)),
        ChatMessage("tool", "it is on", tool_call_id="a"),
    )


async def test_calls_of_one_step_run_at_once_and_in_order():
    tools = ScriptedTools(["slow", "fast"], {"slow": [3.0, "1"], "fast": [1.0, "2"]})
    calls = [ToolCall("", "scripted_slow", ""), ToolCall("", "scripted_fast", "")]
    talk = Talk({"go": [calls, " ".join]}, tools, filler_s=100)
    assert await talk.say("go") == "1 2"
    assert talk.heard_at[-1] == pytest.approx(3.0)
    ids = [message.tool_call_id for message in talk.llm.prompts[1].messages if message.role == "tool"]
    assert len(set(ids)) == 2, "each call has an id of its own, whatever the model gave"


async def test_several_steps():
    talk = Talk({"go": [[ON], [ToolCall("b", ON.name, '{"again": 1}')], "Both."]})
    assert await talk.say("go") == "Both."
    assert [call.arguments for call in talk.tools.calls] == ["{}", '{"again":1}']


async def test_equal_calls_of_one_answer_are_each_made_and_one_after_the_result_is_not():
    talk = Talk(
        {"milk twice": [[ToolCall("", ON.name, "{}"), ToolCall("", ON.name, " { } ")], [ON], "Done."]},
        ScriptedTools(results={"light_on": ["got it"]}),
    )
    assert await talk.say("milk twice") == "Done."
    assert len(talk.tools.calls) == 2
    assert [outcome for _, outcome in talk.outcomes] == ["done", "done", "again"]
    told = [message.content for message in talk.llm.prompts[2].messages if message.role == "tool"]
    assert told == ["got it", "got it", f"got it{BEFORE}"]


async def test_a_turn_that_is_said_again_does_as_much_as_it_did_and_no_more():
    twice = [ToolCall("a", ON.name, "{}"), ToolCall("b", ON.name, "{}")]
    talk = Talk({"milk twice": [twice, "Done."]})
    await talk.say("milk twice")
    talk.turns, talk.messages = 0, []
    assert await talk.say("milk twice") == "Done."
    assert len(talk.tools.calls) == 2
    assert [outcome for _, outcome in talk.outcomes] == ["again", "again"]


async def test_a_model_that_never_stops_calling_is_asked_for_an_answer():
    number = iter(range(100))
    talk = Talk({"go": [lambda _results: [ToolCall("", ON.name, f'{{"n": {next(number)}}}')]]}, steps=3)
    assert await talk.say("go") == ""
    assert len(talk.tools.calls) == 3
    assert [len(prompt.tools) for prompt in talk.llm.prompts] == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("call", "results", "said"),
    [
        (ToolCall("x", "nonsense", "{}"), {}, "no tool 'nonsense'"),
        (ToolCall("x", ON.name, "{"), {}, "not JSON"),
        (ON, {"light_on": [ToolError("light_on", "the lamp is away")]}, "the lamp is away"),
        (ON, {"light_on": [RuntimeError("oops")]}, "oops"),
        (ON, {"light_on": [999.0]}, "no result within 20 s"),
    ],
)
async def test_whatever_goes_wrong_the_model_can_act_on_it(call: ToolCall, results: Any, said: str):
    talk = Talk({"go": [[call], lambda results: results[0]]}, ScriptedTools(results=results))
    assert said in await talk.say("go")


async def test_an_absurd_number_of_calls():
    calls = [ToolCall("", ON.name, f'{{"n": {number}}}') for number in range(CALLS_AT_ONCE + 3)]
    talk = Talk({"go": [calls, lambda results: f"{results.count(TOO_MANY)} of {len(results)}"]})
    assert await talk.say("go") == f"3 of {CALLS_AT_ONCE + 3}"
    assert len(talk.tools.calls) == CALLS_AT_ONCE


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_slow_tool_is_bridged_once(language: str):
    tools = ScriptedTools(results={"light_on": [10.0, "on"]})
    talk = Talk({"go": [[ON], [ToolCall("b", ON.name, '{"n":2}')], "Done."]}, tools, filler_s=2.0)
    filler = phrase(Phrase.ONE_MOMENT, language)
    assert await talk.say("go", language) == f"{filler}Done."
    at = talk.heard_at[talk.events.index(TextDelta(filler))]
    assert at == pytest.approx(2.0)
    gaps = [after - before for before, after in zip(talk.heard_at, talk.heard_at[1:], strict=False)]
    assert max(gaps) <= 1.01, "whoever waits for the next event sees that nothing has stalled"
    await talk.say("next", language)
    assert all(filler not in message.content for message in talk.llm.prompts[-1].messages)


async def test_a_fast_tool_is_not_bridged():
    tools = ScriptedTools(results={"light_on": [1.9, "on"]})
    assert await Talk({"go": [[ON], "Done."]}, tools, filler_s=2.0).say("go") == "Done."


async def test_a_model_that_says_what_it_does_needs_no_bridge_and_is_heard_at_once():
    tools = ScriptedTools(results={"light_on": [10.0, "on"]})
    talk = Talk({"go": [["Let me see", ON], "It is on."]}, tools)
    assert await talk.say("go") == "Let me see\nIt is on."
    assert talk.heard_at[talk.events.index(TextDelta("\n"))] == 0


async def test_a_model_that_fails_after_a_tool_fails_the_answer():
    talk = Talk({"go": [[ON], [EngineError("llm", "gone")]]})
    with pytest.raises(EngineError, match="gone"):
        await talk.say("go")


async def test_leaving_stops_the_tools():
    tools = ScriptedTools(results={"light_on": [100.0]})
    talk = Talk({"go": [[ON], "Done."]}, tools)
    stream = cast("Any", talk.loop.reply(Prompt((ChatMessage("user", "go"),))))
    async with aclosing(stream):
        async for event in stream:
            if event == TextDelta(FILLER):
                break
    assert (len(tools.calls), tools.finished) == (1, 0)


async def test_being_cancelled_stops_the_tools():
    tools = ScriptedTools(results={"light_on": [100.0]})
    talk = Talk({"go": [[ON], "Done."]}, tools)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5.5):
            await talk.say("go")
    assert (len(tools.calls), tools.finished) == (1, 0)


class TestConfirmation:
    def talk(self, **steps: Sequence[Step]) -> Talk:
        tools = ScriptedTools([DOOR, "light_on"], {"open_door": ["the door is open"]})
        known: dict[str, Sequence[Step]] = {
            "open": [[OPEN], "I opened it."],
            "yes": [lambda results: f"Fine, {results[0]}." if results else "Yes what?"],
        }
        return Talk(known | steps, tools)

    async def test_the_user_is_asked_and_a_yes_does_it_once(self):
        talk = self.talk()
        assert await talk.say("open") == (
            "Shall I really do this: open door, with door: front? Please say yes or no."
        )
        assert talk.outcomes == [("scripted.open_door", "confirm")]
        assert talk.tools.calls == []
        assert await talk.say("yes") == "Fine, the door is open."
        assert [(call.name, call.arguments) for call in talk.tools.calls] == [
            ("open_door", '{"door":"front"}')
        ]
        assert talk.outcomes == [("scripted.open_door", "done")]
        assert await talk.say("yes") == "Yes what?"
        assert len(talk.tools.calls) == 1

    async def test_what_the_model_says_meanwhile_does_not_matter(self):
        """A model that claims to have a yes still has none."""
        sure = ToolCall("d", OPEN.name, '{"door": "front", "confirmed": true}')
        talk = self.talk(open=[[sure], [sure]])
        await talk.say("open")
        assert talk.tools.calls == []

    async def test_a_no_is_answered_and_drops_it(self):
        talk = self.talk()
        await talk.say("open")
        assert await talk.say("No!") == "All right, I won't do it."
        assert talk.llm.calls == 1
        await talk.say("yes")
        assert talk.tools.calls == []

    async def test_something_else_is_answered_and_drops_it(self):
        talk = self.talk(weather=["Rain."])
        await talk.say("open")
        assert await talk.say("weather") == "Rain."
        await talk.say("yes")
        assert talk.tools.calls == []

    async def test_it_is_asked_in_chinese(self):
        talk = self.talk()
        assert "真的要执行“open door”（door: front）吗" in await talk.say("open", "zh")
        assert await talk.say("是的。", "zh")
        assert len(talk.tools.calls) == 1

    async def test_what_goes_with_it_is_done_and_told_first(self):
        talk = self.talk(
            open=[
                [ON, OPEN, ToolCall("e", OPEN.name, '{"door": "back"}')],
                lambda results: "The light is on.",
            ]
        )
        answer = await talk.say("open")
        assert answer.startswith("The light is on. Shall I really do this: open door, with door: front?")
        assert [call.name for call in talk.tools.calls] == ["light_on"]
        assert talk.llm.prompts[-1].tools == ()
        await talk.say("yes")
        assert [call.arguments for call in talk.tools.calls] == ["{}", '{"door":"front"}']

    async def test_a_wrong_call_is_not_asked_about(self):
        talk = self.talk(open=[[ToolCall("d", OPEN.name, "[")], lambda results: results[0]])
        assert "must be one JSON object" in await talk.say("open") or "not JSON" in talk.messages[-1].content
