"""A model calls a tool of a real tool server's process; its answer is spoken, over a real socket."""

from __future__ import annotations

import asyncio
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.flows.scripted import CONFIG, scripted_lumi

from lumi import connect
from lumi.config.engines import LlmSettings
from lumi.config.tools import McpServerSettings
from lumi.engines.base import ToolCall
from lumi.server.app import Server
from lumi.testing import ScriptedLlm, ScriptedStt, ScriptedTts, tone

pytestmark = pytest.mark.real

PROGRAM = Path(__file__).parents[1] / "tools" / "mcp_program.py"
HOUSE = CONFIG.model_copy(
    update={
        "llm": LlmSettings(engine="scripted"),
        "mcp": {"house": McpServerSettings(command=sys.executable, args=(str(PROGRAM), "stdio"))},
    }
)


def model() -> ScriptedLlm:
    return ScriptedLlm(
        steps={
            "what is 40 and 2": [
                [ToolCall("1", "house_add", '{"a": 40, "b": 2}')],
                lambda results: f"It is {results[0]}.",
            ],
            "open the door": [[ToolCall("2", "house_unlock", '{"door": "front"}')], "Hm."],
            "yes": [lambda results: f"There: {results[0]}."],
        }
    )


async def until_there(llm: ScriptedLlm, server: Server) -> None:
    """The tool server's program has said what it has."""
    async with connect(server.url) as client:
        for number in range(400):
            await client.chat(f"hello {number}")
            if any(spec.name == "house_add" for spec in llm.prompts[-1].tools):
                return
            await asyncio.sleep(0.05)
    raise AssertionError("the tool server did not come")


async def test_a_tool_of_another_program_answers_aloud():
    llm, tts = model(), ScriptedTts(ms_per_character=5)
    stt = ScriptedStt(["what is 40 and 2", "yes"])
    async with scripted_lumi(HOUSE, llm=llm, tts=tts, stt=stt) as server:
        await until_there(llm, server)
        async with connect(server.url) as client:
            reply = await client.ask(tone(400), rate_hz=16_000)
            assert reply.text == "It is 42."
            assert "It is 42." in tts.spoken
            asked = (await client.chat("open the door")).content
            assert asked == "Shall I really do this: unlock the door, with door: front? Please say yes or no."
            assert (await client.ask(tone(400), rate_hz=16_000)).text == "There: front is open."
        shown = await asyncio.to_thread(_metrics, server.page_url)
        assert 'lumi_tool_calls_total{outcome="done",tool="house.add"} 1.0' in shown
        assert 'lumi_tool_calls_total{outcome="confirm",tool="house.unlock"} 1.0' in shown
        assert 'lumi_tool_calls_total{outcome="done",tool="house.unlock"} 1.0' in shown


def _metrics(url: str) -> str:
    with urllib.request.urlopen(f"{url}metrics", timeout=10) as answer:
        text: str = answer.read().decode()
        return text
