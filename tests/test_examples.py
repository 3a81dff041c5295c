"""Every example runs, against the real server with scripted engines."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from tests.flows.scripted import answering, scripted_lumi

from lumi.audio.wav import read_wav, write_wav
from lumi.testing import tone

pytestmark = pytest.mark.real

EXAMPLES = Path(__file__).parents[1] / "examples"
TESTED = {"chat_bot.py", "pipeline_step.py", "speak_a_file.py"}


async def run(home: Path, name: str, *arguments: str, typed: str = "") -> str:
    """What the example printed; it must not fail."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / name), *arguments,
        cwd=home, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=os.environ | {"HOME": str(home), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    out, err = await process.communicate(typed.encode())
    assert process.returncode == 0, err.decode()
    return out.decode()


def test_all_examples_are_tested():
    assert {path.name for path in EXAMPLES.glob("*.py")} == TESTED


async def test_chat_bot(tmp_path: Path):
    async with scripted_lumi(llm=answering("One.", "Two.")) as server:
        assert await run(tmp_path, "chat_bot.py", server.url, typed="first\nsecond\n") == "One.\nTwo.\n"


async def test_speak_a_file(tmp_path: Path):
    question, answer = tmp_path / "question.wav", tmp_path / "answer.wav"
    write_wav(question, tone(500), 16_000)
    async with scripted_lumi(llm=answering("It is noon.")) as server:
        out = await run(tmp_path, "speak_a_file.py", server.url, str(question), str(answer))
    assert out == "You:  what time is it [0.95]\nLumi: It is noon.\n"
    assert read_wav(answer).duration_s > 0.1


async def test_pipeline_step(tmp_path: Path):
    async with scripted_lumi(llm=answering("quietly")) as server:
        assert await run(tmp_path, "pipeline_step.py", server.url, "say it") == "QUIETLY\n"
