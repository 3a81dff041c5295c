from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from lumi.engines.base import Speaker, ToolCall, ToolResult, Tools, ToolSpec
from lumi.errors import ToolError
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.testing.tools import ScriptedTools
from lumi.tools.once import Once
from lumi.tools.permissions import Rule
from lumi.tools.toolbox import BEFORE, RESULT_CHARS, Outcome, Toolbox, ToolboxSettings

SPEAKER = Speaker(device_id="kitchen", turn_id="turn-1")
LEVEL = {"type": "object", "properties": {"level": {"type": "integer"}}, "required": ["level"]}


class Box(Toolbox):
    """A toolbox, and what it counted."""

    def __init__(self, *sources: Tools, **settings: Any) -> None:
        self.counted: list[tuple[str, Outcome]] = []
        super().__init__(
            list(sources),
            ToolboxSettings(**settings),
            Once(MemoryStore().acts, WallClock()),
            lambda name, outcome: self.counted.append((name, outcome)),
        )

    async def names(self, speaker: Speaker = SPEAKER) -> Sequence[str]:
        return [spec.name for spec in await self.specs(speaker)]


def call(name: str, arguments: str = "{}") -> ToolCall:
    return ToolCall("1", name, arguments)


async def test_tools_of_many_are_joined_and_named_apart():
    box = Box(ScriptedTools(["on"], name="home"), ScriptedTools(["on", "off"], name="boat"))
    assert await box.names() == ["home_on", "boat_on", "boat_off"]


async def test_a_call_reaches_its_tool_under_its_own_name():
    tools = ScriptedTools(["light.on"], {"light.on": ["it is on"]}, name="home")
    box = Box(tools)
    (name,) = await box.names()
    used = await box.use(call(name), SPEAKER)
    assert (used.outcome, used.result, used.name) == (Outcome.DONE, ToolResult("it is on"), "home.light.on")
    assert tools.calls == [ToolCall("1", "light.on", "{}")]
    assert tools.speakers == [SPEAKER]
    assert box.counted == [("home.light.on", Outcome.DONE)]
    assert await box.call(call(name), SPEAKER) == ToolResult(f"it is on{BEFORE}")
    assert len(tools.calls) == 1, "the same turn does not do it twice"
    assert box.counted[1:] == [("home.light.on", Outcome.AGAIN)]


async def test_what_only_looks_may_look_again():
    tools = ScriptedTools([ToolSpec("look", "", read_only=True)])
    box = Box(tools)
    for _ in range(2):
        assert (await box.use(call("scripted_look"), SPEAKER)).outcome is Outcome.DONE
    assert len(tools.calls) == 2


async def test_a_tool_that_is_not_permitted_is_not_there():
    tools = ScriptedTools(["light", "oven"], name="home")
    box = Box(tools, rules=[Rule(devices=("kitchen",), deny=("home.oven",))])
    assert await box.names() == ["home_light"]
    assert await box.names(Speaker(device_id="hall")) == ["home_light", "home_oven"]
    used = await box.use(call("home_oven"), SPEAKER)
    assert used.outcome is Outcome.UNKNOWN
    assert "no tool 'home_oven'" in used.result.text
    assert used.result.failed
    assert tools.calls == []
    assert box.counted == [("", Outcome.UNKNOWN)]


async def test_wrong_arguments_do_not_reach_the_tool():
    tools = ScriptedTools([ToolSpec("dim", "", LEVEL)])
    box = Box(tools)
    used = await box.use(call("scripted_dim", '{"level": "low"}'), SPEAKER)
    assert used.outcome is Outcome.INVALID
    assert "level" in used.result.text
    assert tools.calls == []
    assert (await box.use(call("scripted_dim", ' {"level":3}'), SPEAKER)).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("spec", "patterns"),
    [(ToolSpec("open", "", confirm=True), ()), (ToolSpec("open", ""), ("*.open",))],
)
async def test_what_needs_a_yes_is_not_called_without(spec: ToolSpec, patterns: Sequence[str]):
    tools = ScriptedTools([spec], name="door")
    box = Box(tools, confirm=patterns)
    assert [spec.confirm for spec in await box.specs(SPEAKER)] == [True]
    used = await box.use(call("door_open"), SPEAKER)
    assert used.outcome is Outcome.CONFIRM
    assert tools.calls == []
    assert (await box.call(call("door_open"), SPEAKER)).failed
    used = await box.use(call("door_open"), SPEAKER, confirmed=True)
    assert used.outcome is Outcome.DONE
    assert len(tools.calls) == 1


@pytest.mark.parametrize(
    ("error", "outcome", "said"),
    [
        (ToolError("t", "the lamp is away"), Outcome.FAILED, "the lamp is away"),
        (ZeroDivisionError("by zero"), Outcome.BROKEN, "broke with ZeroDivisionError: by zero"),
    ],
)
async def test_a_tool_that_breaks_is_an_answer(error: Exception, outcome: Outcome, said: str):
    box = Box(ScriptedTools(["t"], {"t": [error]}))
    used = await box.use(call("scripted_t"), SPEAKER)
    assert used.outcome is outcome
    assert used.result.failed
    assert said in used.result.text


async def test_a_tool_that_cannot_says_so():
    box = Box(ScriptedTools(["t"], {"t": [ToolResult("no power", failed=True)]}))
    assert (await box.use(call("scripted_t"), SPEAKER)).outcome is Outcome.FAILED


async def test_a_tool_that_hangs_is_given_up():
    tools = ScriptedTools(["t"], {"t": [1_000.0]})
    box = Box(tools, timeout_s=7)
    began = asyncio.get_running_loop().time()
    used = await box.use(call("scripted_t"), SPEAKER)
    assert asyncio.get_running_loop().time() - began == pytest.approx(7)
    assert used.outcome is Outcome.SLOW
    assert "may or may not have been done" in used.result.text
    assert "nobody knows" in (await box.call(call("scripted_t"), SPEAKER)).text
    assert len(tools.calls) == 1


async def test_a_source_may_take_its_own_time():
    class Patient(ScriptedTools):
        timeout_s = 60.0

    tools = Patient(["t"], {"t": [50.0, "at last"]})
    assert (await Box(tools, timeout_s=7).call(call("scripted_t"), SPEAKER)).text == "at last"


async def test_sources_that_say_nothing_are_left_out():
    class Silent(ScriptedTools):
        async def specs(self, speaker: Speaker) -> Sequence[ToolSpec]:
            await asyncio.sleep(1_000)
            return ()

    away = ScriptedTools(["a"], name="away", missing=ToolError("away", "gone"))
    box = Box(away, Silent(["s"]), ScriptedTools(["t"]))
    assert await box.names() == ["scripted_t"]


async def test_no_more_tools_than_a_model_takes():
    box = Box(ScriptedTools([f"t{number}" for number in range(300)]), most=128)
    assert len(await box.names()) == 128


async def test_a_result_without_end_is_cut():
    box = Box(ScriptedTools(["t"], {"t": ["x" * 100_000]}))
    text = (await box.call(call("scripted_t"), SPEAKER)).text
    assert len(text) < RESULT_CHARS + 100
    assert text.endswith("(cut off: the result is longer)")


async def test_sources_may_come_later():
    sources: list[Tools] = []
    box = Toolbox(sources, ToolboxSettings(), Once(MemoryStore().acts, WallClock()))
    assert list(await box.specs(SPEAKER)) == []
    sources.append(ScriptedTools(["late"]))
    assert [spec.name for spec in await box.specs(SPEAKER)] == ["scripted_late"]
    await box.aclose()
