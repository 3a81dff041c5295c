from __future__ import annotations

import enum
import threading
from importlib.metadata import EntryPoint
from typing import Any, Literal

import msgspec
import pytest

import lumi
from lumi.engines.base import Speaker, ToolCall, ToolResult
from lumi.errors import ConfigError, ToolError
from lumi.tools.functions import FunctionTool, FunctionTools

SPEAKER = Speaker(device_id="kitchen")


class Room(enum.Enum):
    HALL = "hall"
    ATTIC = "attic"


class Scene(msgspec.Struct):
    name: str
    level: int = 3


@lumi.tool
def dim(room: Room, level: int = 50, *, mood: Literal["warm", "cold"] | None = None) -> str:
    """Dim the light of a room.

    Slowly.

    Args:
        room: which room
            of the house.
        level (int): from 0 to 100.

    Returns:
        What was done.
    """
    return f"{room.name} {level} {mood} in {threading.current_thread() is threading.main_thread()}"


@lumi.tool(name="pay", title="pay the bill", confirm=True)
async def pay_bill(scene: Scene, who: Speaker) -> dict[str, Any]:
    """Pay."""
    return {"scene": scene.name, "who": who.device_id}


@lumi.tool(read_only=True)
def look() -> None:
    """Look."""


def call(name: str, arguments: str = "{}") -> ToolCall:
    return ToolCall("1", name, arguments)


async def test_the_spec_is_made_from_the_function():
    first, second, third = await FunctionTools([dim, pay_bill, look]).specs(SPEAKER)
    assert (first.name, first.description) == ("dim", "Dim the light of a room. Slowly.")
    assert first.parameters["required"] == ["room"]
    properties = first.parameters["properties"]
    assert properties["level"] == {"type": "integer", "description": "from 0 to 100.", "default": 50}
    assert properties["room"]["description"] == "which room of the house."
    assert first.parameters["additionalProperties"] is False
    assert (second.name, second.title, second.confirm, second.read_only) == (
        "pay",
        "pay the bill",
        True,
        False,
    )
    assert list(second.parameters["properties"]) == ["scene"], "the speaker is not the model's to give"
    assert third.read_only


async def test_functions_are_called_with_what_their_annotations_say():
    tools = FunctionTools([dim, pay_bill, look])
    done = await tools.call(call("dim", '{"room": "attic", "mood": "warm"}'), SPEAKER)
    assert done == ToolResult("ATTIC 50 warm in False"), "in a thread"
    paid = await tools.call(call("pay", '{"scene": {"name": "evening"}}'), SPEAKER)
    assert paid == ToolResult('{"scene":"evening","who":"kitchen"}')
    assert await tools.call(call("look"), SPEAKER) == ToolResult("done")
    assert dim(Room.HALL).startswith("HALL"), "it stays a function"
    await tools.aclose()


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("dim", '{"room": "cellar"}', "Invalid enum value"),
        ("dim", "{}", "room"),
        ("gone", "{}", "no such function"),
    ],
)
async def test_a_wrong_call_is_told(name: str, arguments: str, said: str):
    with pytest.raises(ToolError, match=said):
        await FunctionTools([dim]).call(call(name, arguments), SPEAKER)


def bare(room) -> None: ...


def several(*rooms: str) -> None: ...


def odd(thing: threading.Thread) -> None: ...


@pytest.mark.parametrize(
    ("function", "said"), [(bare, "no annotation"), (several, "cannot be given"), (odd, "Thread")]
)
def test_what_cannot_be_a_tool_is_refused(function: Any, said: str):
    with pytest.raises(ConfigError, match=said):
        FunctionTool(function)


async def test_entry_points_are_found_and_broken_ones_left_out():
    here = __name__
    tools = FunctionTools()
    await tools.start(
        [
            EntryPoint("dim", f"{here}:dim", "lumi.tools"),
            EntryPoint("gone", f"{here}:gone", "lumi.tools"),
            EntryPoint("nowhere", "lumi_no_such_module:it", "lumi.tools"),
            EntryPoint("bare", f"{here}:bare", "lumi.tools"),
            EntryPoint("all", here, "lumi.tools"),
            EntryPoint("list", f"{here}:EVERYTHING", "lumi.tools"),
        ]
    )
    assert [spec.name for spec in await tools.specs(SPEAKER)] == ["dim", "pay", "look"]


async def test_nothing_is_installed_by_default():
    tools = FunctionTools()
    await tools.start()
    assert list(await tools.specs(SPEAKER)) == []


EVERYTHING = [dim, pay_bill]
