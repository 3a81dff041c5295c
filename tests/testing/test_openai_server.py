from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import aiohttp
import pytest

from lumi.audio.wav import wav_bytes
from lumi.testing import tone
from lumi.testing.openai_command import arguments, made
from lumi.testing.openai_faults import Fault
from lumi.testing.openai_script import Call, chunks, echo, on_the_wire, reply_to, whole
from lumi.testing.openai_server import OpenAiServer


@pytest.mark.real
async def test_it_runs_as_a_process_of_its_own_and_passes_for_ollama(tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"hi": "Hello!"}), encoding="utf-8")
    words = ["-m", "lumi.testing.openai_server", "--ollama", "--model", "qwen3", "--answers", str(answers)]
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    root = url.removesuffix("/v1")
    async with aiohttp.ClientSession() as http:
        tags = await (await http.get(f"{root}/api/tags")).json()
        assert [model["name"] for model in tags["models"]] == ["qwen3"]
        assert "version" in await (await http.get(f"{root}/api/version")).json()
        question = {"model": "qwen3", "messages": [{"role": "user", "content": "hi"}]}
        answer = await (await http.post(f"{url}/chat/completions", json=question)).json()
        assert answer["choices"][0]["message"]["content"] == "Hello!"
        await http.post(f"{root}/stand-in/fault", json={"what": "chat", "fault": "busy", "times": 1})
        statuses = [(await http.post(f"{url}/chat/completions", json=question)).status for _ in range(2)]
        assert statuses == [429, 200]
        told = await (await http.get(f"{root}/stand-in/asked")).json()
        assert [entry["what"] for entry in told] == ["chat"] * 3
        await http.post(f"{root}/stand-in/fault", json={})
    process.terminate()
    await process.communicate()


@pytest.mark.real
async def test_what_is_no_recording_is_refused() -> None:
    async with OpenAiServer() as service, aiohttp.ClientSession() as http:
        url = f"{service.base_url}/audio/transcriptions"
        for data in (b"no wav at all", wav_bytes(tone(100), 16_000)[:30]):
            form = aiohttp.FormData({"model": "whisper-stand-in"})
            form.add_field("file", data, filename="a.wav")
            assert (await http.post(url, data=form)).status == 400
        assert (await http.post(url, data={"model": "x"})).status == 400


@pytest.mark.real
async def test_faults_last_as_long_as_told() -> None:
    async with OpenAiServer(key="k") as service, aiohttp.ClientSession() as http:
        headers = {"Authorization": "Bearer k"}

        async def status() -> int:
            return (await http.get(f"{service.base_url}/models", headers=headers)).status

        service.break_("models", Fault.BROKEN, times=2)
        assert [await status() for _ in range(3)] == [500, 500, 200]
        headers.clear()
        assert await status() == 401


def test_replies() -> None:
    question = [{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image_url"}]}]
    assert echo(question) == "You said: hi. That is all."
    assert echo([{"role": "tool", "content": "21 degrees"}]) == "It says: 21 degrees."
    assert reply_to({"hi": ["a", Call("b", {})]}, question) == ["a", Call("b", {})]
    assert reply_to({}, question) == [echo(question)]
    assert whole(["x", Call("f", {"a": 1})], "m")["choices"][0]["finish_reason"] == "tool_calls"
    events = list(chunks(["hello"], "m"))
    assert events[-2]["choices"][0]["finish_reason"] == "stop"
    assert on_the_wire(events).endswith(b"data: [DONE]\n\n")


def test_its_command_line() -> None:
    service = made(arguments(["--key", "k", "--voice", "a", "--hears", "one", "--hears", "two"]))
    assert (service.script.key, service.script.voices, service.script.hear) == ("k", ("a",), ("one", "two"))
