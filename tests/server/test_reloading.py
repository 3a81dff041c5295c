"""Settings read anew: what takes effect, what waits, what a wrong one changes (nothing), and how it is asked for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.server.doubles import HELLO

from lumi.config import Config
from lumi.config.engines import LlmSettings, NamedEngine, TtsSettings
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.errors import ConfigError, EngineUnavailable, StoreError
from lumi.server import assembly
from lumi.server.reloading import (
    OUTCOME_FILE,
    Outcome,
    Reloader,
    changed,
    kept,
    process_file,
    read_outcome,
    running,
    waiting,
)
from lumi.server.server import Server
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad


def config(llm: str = "old", **sections: Any) -> Config:
    return Config(
        **{"server": ServerSettings(port=0, drain_s=1), "llm": LlmSettings(engine=llm)} | sections,
        store=StoreSettings(engine="memory"),
        log=LogSettings(file=False),
    )


def test_what_takes_effect_and_what_waits():
    new = config(
        "new",
        server=ServerSettings(port=1, host="::1", drain_s=1),
        tts=TtsSettings(speed=2),
        engines={"a": NamedEngine(engine="b")},
    )
    names = changed(config(), new)
    assert names == ("server.host", "server.port", "llm.engine", "tts.speed", "engines")
    assert waiting(names) == ("server.host", "server.port")
    holds = kept(config(), new)
    assert (holds.server, holds.llm, holds.engines) == (config().server, new.llm, new.engines)


def test_names_that_begin_alike_are_not_the_same():
    assert waiting(("llmx.a", "log.level", "log.files")) == ("llmx.a", "log.files")


class Brains:
    """Engines by name; the answer names the engine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: dict[str, Brain] = {}
        self.go, self.asked = asyncio.Event(), asyncio.Event()
        monkeypatch.setattr(assembly, "_create", self.create)

    def create(self, config: Config, kind: str, name: str, options: Any) -> Brain:
        del config, kind, options
        if name == "nobody":
            raise ConfigError("llm.engine", "there is no engine 'nobody'")
        brain = self.made[name] = Brain(name, self)
        return brain


class Brain(ScriptedLlm):
    def __init__(self, name: str, brains: Brains) -> None:
        super().__init__(name=name)
        self.brains, self.gone = brains, asyncio.Event()

    async def aclose(self) -> None:
        self.gone.set()
        await super().aclose()

    async def start(self) -> None:
        if self.name == "broken":
            raise EngineUnavailable("broken", "install it")

    async def reply(self, prompt: Any) -> Any:
        async for event in ScriptedLlm(lambda text: f"{self.name} heard {text}").reply(prompt):
            yield event
            if prompt.messages[-1].content == "slowly":
                self.brains.asked.set()
                await self.brains.go.wait()


def others() -> dict[str, Any]:
    return {"vad": ScriptedVad(), "stt": ScriptedStt(), "tts": ScriptedTts()}


async def chat(ws: aiohttp.ClientWebSocketResponse, text: str) -> None:
    await ws.send_json({"type": "chat", "id": text, "content": text})


@pytest.mark.real
async def test_a_conversation_goes_on_over_a_reload_and_a_running_answer_ends_as_it_began(
    monkeypatch: pytest.MonkeyPatch,
):
    brains = Brains(monkeypatch)
    async with (
        Server(config(), **others()) as server,
        aiohttp.ClientSession() as http,
        http.ws_connect(server.url) as ws,
    ):
        await ws.send_json(HELLO)
        session = (await ws.receive_json())["session_id"]
        await chat(ws, "slowly")
        await brains.asked.wait()
        new = config("new", server=ServerSettings(port=9, drain_s=1))
        assert await server.reload(new) == ("server.port",)
        assert (server.config.llm.engine, server.config.server.port) == ("new", 0)
        assert not brains.made["old"].closed
        brains.go.set()
        first = await ws.receive_json()
        assert (first["content"], first["session_id"]) == ("old heard slowly", session)
        await chat(ws, "again")
        second = await ws.receive_json()
        assert (second["content"], second["session_id"]) == ("new heard again", session)
        async with asyncio.timeout(5):
            await brains.made["old"].gone.wait()
        assert (len(server._generations), brains.made["new"].closed) == (1, False)
        for wrong, error in (("nobody", ConfigError), ("broken", EngineUnavailable)):
            with pytest.raises(error):
                await server.reload(config(wrong))
        assert brains.made["broken"].closed
        await chat(ws, "still")
        assert (await ws.receive_json())["content"] == "new heard still"
    assert brains.made["new"].closed


async def test_the_outcome_is_written_where_it_is_looked_for(tmp_path: Path):
    wrong: list[Exception] = [ConfigError("llm.engine", "there is none")]

    async def apply(_: Config) -> tuple[str, ...]:
        if wrong:
            raise wrong.pop()
        return ("server.port",)

    reloader = Reloader(Config, apply, tmp_path)
    assert read_outcome(tmp_path) is None
    assert (
        await reloader.reload()
        == read_outcome(tmp_path)
        == Outcome(1, ok=False, said="llm.engine: there is none")
    )
    assert (
        await reloader.reload()
        == read_outcome(tmp_path)
        == Outcome(2, ok=True, said="", restart=("server.port",))
    )
    wrong.append(StoreError("gone"))
    assert not (await Reloader(Config, apply, None).reload()).ok
    (await Reloader(Config, apply, tmp_path / "nowhere").reload())
    (tmp_path / OUTCOME_FILE).write_text("[]")
    assert read_outcome(tmp_path) is None


@pytest.mark.real
def test_a_process_is_known_while_it_lives_and_no_longer(tmp_path: Path):
    assert running(tmp_path) is None
    program = (
        "import sys; from pathlib import Path; from lumi.server.reloading import process_file\n"
        "with process_file(Path(sys.argv[1])) as ours:\n    print(ours, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        assert running(tmp_path) == process.pid
        with process_file(tmp_path) as ours:
            assert not ours, "it is another's"
        process.kill()
        process.wait()
    assert running(tmp_path) is None, "it left its file, but holds it no longer"
    with process_file(tmp_path) as ours:
        assert ours
    with process_file(None) as ours:
        assert not ours
