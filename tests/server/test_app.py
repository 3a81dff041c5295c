import asyncio
import io
import os
import signal

import pytest

from lumi.config import Config
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.errors import ConfigError, EngineUnavailable
from lumi.server import app
from lumi.server.app import Server, loop_factory, run, serve, welcome
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad

pytestmark = pytest.mark.real

CONFIG = Config(
    server=ServerSettings(port=0, drain_s=0.5),
    store=StoreSettings(engine="memory"),
    log=LogSettings(file=False, level="error"),
)


class Lines(io.StringIO):
    """What a person reads; `said` waits for words."""

    def __init__(self) -> None:
        super().__init__()
        self.more = asyncio.Event()

    def write(self, text: str) -> int:
        self.more.set()
        return super().write(text)

    async def said(self, words: str) -> str:
        while words not in self.getvalue():
            self.more.clear()
            await self.more.wait()
        return self.getvalue()


class Stt(ScriptedStt):
    """Loads as `loading` says; knows `languages` by ear."""

    languages: tuple[str, ...] = ("en", "zh")

    async def loading(self) -> None: ...

    async def start(self) -> None:
        await self.loading()


@pytest.fixture
def scripted(monkeypatch):
    """`serve` with engines that need nothing."""
    stt = Stt()

    def made(config: Config) -> Server:
        return Server(config, vad=ScriptedVad(), stt=stt, llm=ScriptedLlm(), tts=ScriptedTts())

    monkeypatch.setattr(app, "Server", made)
    return stt


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_until_a_signal_and_says_where(scripted, number):
    out = Lines()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(CONFIG, out=out))
        text = await out.said("Ctrl+C")
        assert "http://127.0.0.1:" in text
        assert "ws://127.0.0.1:" in text
        os.kill(os.getpid(), number)
    assert "saying goodbye" in out.getvalue()
    assert signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)


async def test_a_signal_while_it_starts_is_heard_too(scripted):
    out = Lines()
    never = asyncio.Event()
    scripted.loading = never.wait
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(CONFIG, out=out))
        await out.said("is starting")
        os.kill(os.getpid(), signal.SIGTERM)
    assert "ready" not in out.getvalue()


async def test_an_engine_that_cannot_load_ends_it_with_its_own_line(scripted):
    async def start() -> None:
        raise EngineUnavailable("scripted", "install it")

    scripted.loading = start
    with pytest.raises(EngineUnavailable, match="install it"):
        await serve(CONFIG, out=io.StringIO())


async def test_a_wrong_directory_ends_it_before_anything_starts(tmp_path):
    (tmp_path / "file").write_text("")
    config = Config(server=ServerSettings(port=0, data_dir=tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"server\.data_dir"):
        await serve(config, out=io.StringIO())


async def test_the_welcome_says_what_cannot_be_heard(scripted):
    scripted.languages = ("en",)
    async with app.Server(CONFIG) as server:
        assert "By ear it does not understand Chinese: the recogniser pocketsphinx" in welcome(server)
    scripted.languages = ("en", "zh")
    async with app.Server(CONFIG) as server:
        assert "By ear" not in welcome(server)


def test_run_uses_the_fastest_loop_there_is(monkeypatch):
    used = []

    async def noted(_: Config) -> None:
        used.append(type(asyncio.get_running_loop()).__module__)

    monkeypatch.setattr(app, "serve", noted)
    run(CONFIG)
    assert used == [type(loop_factory()()).__module__] or used == ["uvloop"]


def test_without_uvloop_the_standard_loop_will_do(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "uvloop", None)
    assert loop_factory() is asyncio.new_event_loop
