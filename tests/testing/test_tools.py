from __future__ import annotations

import asyncio

import pytest

from lumi.engines.base import Speaker, ToolCall, ToolResult, ToolSpec
from lumi.testing.tools import ScriptedTools

SPEAKER = Speaker(device_id="d")


async def test_offers_specs_and_names():
    own = ToolSpec("own", "Mine.")
    assert await ScriptedTools([own, "bare"]).specs(SPEAKER) == [own, ToolSpec("bare", "Does bare.")]


async def test_follows_its_script():
    failed = ToolResult("no", failed=True)
    tools = ScriptedTools(["a", "b", "c"], {"a": [2.0, "yes"], "b": [failed], "c": [ValueError("broke")]})
    began = asyncio.get_running_loop().time()
    assert await tools.call(ToolCall("1", "a", "{}"), SPEAKER) == ToolResult("yes")
    assert asyncio.get_running_loop().time() - began == 2.0
    assert await tools.call(ToolCall("2", "b", "{}"), SPEAKER) == failed
    assert await tools.call(ToolCall("3", "other", "{}"), SPEAKER) == ToolResult("done")
    with pytest.raises(ValueError, match="broke"):
        await tools.call(ToolCall("4", "c", "{}"), SPEAKER)
    assert (len(tools.calls), tools.finished) == (4, 3)


async def test_may_be_away_and_is_closed():
    tools = ScriptedTools(missing=ValueError("away"))
    with pytest.raises(ValueError, match="away"):
        await tools.specs(SPEAKER)
    await tools.aclose()
    assert tools.closed
