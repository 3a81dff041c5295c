"""examples/third_party_engine: built and installed by its own pyproject, found by its entry points, and put to use."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tests.flows.scripted import CONFIG, answering

from lumi.audio.resample import Resampler
from lumi.client.client import connect
from lumi.config.engines import SttSettings, TtsSettings
from lumi.engines.base import Stt, Tts, Voice
from lumi.engines.registry import Registry
from lumi.server.app import Server
from lumi.testing import ScriptedVad
from lumi.testing.conformance import SttConformance, TtsConformance, final_of, pieces

pytestmark = pytest.mark.real

EXAMPLE = Path(__file__).parents[1] / "examples" / "third_party_engine"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installed it to, with no network."""
    place = tmp_path_factory.mktemp("third-party")
    source, target = place / "source", place / "target"
    shutil.copytree(EXAMPLE, source)  # building leaves files behind
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "--target", str(target), str(source)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def on_path(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.syspath_prepend(str(installed))
    yield Registry()
    for name in [name for name in sys.modules if name.startswith("lumi_morse")]:
        del sys.modules[name]


async def keyed(tts: Tts, text: str) -> bytes:
    speech = b"".join([piece async for piece in tts.synthesize(text, Voice())])
    return bytes(3_200) + Resampler(tts.sample_rate_hz, 16_000).push(speech, last=True) + bytes(6_400)


def test_it_is_found_and_shown(installed: Path, tmp_path: Path):
    program = "from lumi.cli import main; main()"
    environment = os.environ | {"PYTHONPATH": str(installed), "LUMI_TTS__ENGINE": "morse"}
    shown = subprocess.run(
        [sys.executable, "-c", program, "engines", "--json"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=50,
    )
    rows = {f"{row['kind']}.{row['name']}": row for row in json.loads(shown.stdout)["engines"]}
    assert rows["stt.morse"]["package"] == "lumi-morse"
    assert not rows["stt.morse"]["in_use"]
    assert rows["tts.morse"] == {
        **rows["stt.morse"],
        "kind": "tts",
        "in_use": True,
        "installed": True,
        "missing": "",
    }


async def test_a_turn_goes_through_it(on_path: Registry):
    assert "morse" in on_path.available("stt")
    settings = {"stt": SttSettings(engine="morse"), "tts": TtsSettings(engine="morse")}
    config = CONFIG.model_copy(update=settings)
    question = await keyed(on_path.create("tts", "morse"), "what time is it")
    async with (
        Server(config, vad=ScriptedVad(), llm=answering("noon")) as server,
        connect(server.url, device_id="me") as client,
    ):
        await server.wait_ready()
        reply = await client.ask(question, rate_hz=16_000)
    assert reply.transcript == "what time is it"
    heard = await final_of(on_path.create("stt", "morse").transcribe(pieces(reply.pcm), None))
    assert heard.text == "noon"


class TestEars(SttConformance):
    @pytest.fixture(autouse=True)
    def registry(self, on_path: Registry) -> None:
        self.found = on_path

    def make(self) -> Stt:
        engine: Stt = self.found.create("stt", "morse")
        return engine

    def utterances(self) -> Iterable[tuple[bytes, str]]:
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        tts = self.found.create("tts", "morse")
        with ThreadPoolExecutor(1) as thread:  # pytest's own loop is running in this one
            for words in ("sos", "hello there"):
                yield thread.submit(lambda: asyncio.run(keyed(tts, words))).result(), words  # noqa: B023


class TestMouth(TtsConformance):
    @pytest.fixture(autouse=True)
    def registry(self, on_path: Registry) -> None:
        self.found = on_path

    def make(self) -> Tts:
        engine: Tts = self.found.create("tts", "morse")
        return engine
