"""Every example runs, against the real server with scripted engines."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.flows.scripted import CONFIG, answering, scripted_lumi

from lumi.audio.format import duration_ms
from lumi.audio.wav import read_wav, write_wav
from lumi.testing import ScriptedStt, silence, tone

pytestmark = pytest.mark.real

EXAMPLES = Path(__file__).parents[1] / "examples"
TESTED = {
    "chat_bot.py",
    "house_tools.py",
    "kiosk.py",
    "pipeline_step.py",
    "speak_a_file.py",
    "translate_file.py",
}


@asynccontextmanager
async def started(home: Path, name: str, *arguments: str) -> AsyncIterator[Process]:
    """The example, running; whatever happens, it does not outlive the test."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / name), *arguments,
        cwd=home, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=os.environ | {"HOME": str(home), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(home: Path, name: str, *arguments: str, typed: str = "") -> str:
    """What the example printed; it must not fail."""
    async with started(home, name, *arguments) as process:
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


async def printed(process: Process, line: str) -> None:
    """Wait until the example prints this line."""
    assert process.stdout is not None
    while said := await process.stdout.readline():
        if said.decode().strip() == line:
            return
    raise AssertionError(f"{line!r} was not printed")


async def test_kiosk(tmp_path: Path):
    """Asked while the server is there, and while it is gone."""
    async with AsyncExitStack() as stack:
        async with scripted_lumi(llm=answering("One.")) as server:
            running = started(tmp_path, "kiosk.py", server.url, str(tmp_path / "queue.db"))
            kiosk = await stack.enter_async_context(running)
            assert kiosk.stdin is not None
            await printed(kiosk, "[Ready]")
            kiosk.stdin.write(b"first\n")
            await printed(kiosk, "One.")
            port = urlsplit(server.url).port
        await printed(kiosk, "[Disconnected]")
        kiosk.stdin.write(b"second\n")
        await printed(kiosk, "[Connecting]")
        there = CONFIG.model_copy(update={"server": CONFIG.server.model_copy(update={"port": port})})
        async with scripted_lumi(there, llm=answering("Two.")):
            await printed(kiosk, "[Ready]")
            await printed(kiosk, "Two.")
            _, err = await kiosk.communicate(b"")
        assert kiosk.returncode == 0, err.decode()


async def test_translate_file(tmp_path: Path):
    recording = tmp_path / "speech.wav"
    write_wav(recording, (tone(4_000) + silence(1_000)) * 5, 16_000)
    stt = ScriptedStt(["good morning", "good night"])
    async with scripted_lumi(stt=stt, llm=answering("-", "早上好。", "-", "晚安。")) as server:
        out = await run(tmp_path, "translate_file.py", server.url, str(recording), "Chinese")
    assert out == "good morning\n  → 早上好。\ngood night\n  → 晚安。\n"
    first, second = (duration_ms(pcm, 16_000) for pcm in stt.heard)
    assert 19_000 <= first <= 20_000, "cut in the pause"
    assert first + second == pytest.approx(25_000, abs=120)


async def test_house_tools(tmp_path: Path):
    assert (await run(tmp_path, "house_tools.py")).splitlines() == [
        "stock: Say how many of something are in the larder.",
        "order: Order something from the shop. It costs money, so the user is asked first. (asks first)",
        "2 milk",
        "12 eggs for kitchen, tomorrow",
    ]
