import asyncio
import io
import os
import signal
from typing import Any

import pytest

from lumi.config import Config
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.errors import ConfigError, EngineUnavailable
from lumi.server import app
from lumi.server.app import Server, asks, invitation, loop_factory, run, serve, welcome
from lumi.store.base import Device, PairingCode
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

    def made(config: Config, **hooks: Any) -> Server:
        return Server(config, vad=ScriptedVad(), stt=stt, llm=ScriptedLlm(), tts=ScriptedTts(), **hooks)

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


async def test_the_welcome_says_who_stands_in_for_whom(scripted, monkeypatch):
    async with app.Server(CONFIG) as server:
        assert "CAREFUL" not in welcome(server)
        monkeypatch.setattr(
            type(server), "stand_ins", ("tts.engine: piper: no model; espeak takes its place",)
        )
        assert "CAREFUL: tts.engine: piper: no model; espeak takes its place." in welcome(server)


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


async def told_by(config: Config, addresses: tuple[str, ...]) -> str:
    server = Server(config)
    server.port = 8000
    return invitation(server, addresses, lambda address: f"<{address}>")


async def test_others_are_invited_where_they_can_come_in():
    lan = ServerSettings(host="0.0.0.0", pairing=True)
    told = await told_by(Config(server=lan), ("192.0.2.1", "fd00::1"))
    assert "<http://192.0.2.1:8000/>" in told
    assert "fd00::1" not in told, "nobody listens there"
    everywhere = Config(server=ServerSettings(host="::", pairing=True))
    assert "http://[fd00::1]:8000/" in await told_by(everywhere, ("192.0.2.1", "fd00::1"))
    assert "devices pair CODE" in told
    assert "CAREFUL" not in told
    assert await told_by(Config(), ("192.0.2.1",)) == ""
    assert "in no network" in await told_by(Config(server=lan), ())


async def test_a_phone_is_invited_by_https_first():
    server = Server(Config(server=ServerSettings(host="192.0.2.1", pairing=True)))
    server.port, server.tls.port = 8000, 8443
    told = invitation(server, ("192.0.2.1",), lambda address: f"<{address}>").splitlines()
    assert told[0] == "<https://192.0.2.1:8443/>"
    assert "https://192.0.2.1:8443/" in told[1]
    assert told[2] == "Boards that know no TLS, and programs: http://192.0.2.1:8000/ (ws://192.0.2.1:8000/)"


async def test_an_open_door_is_said_aloud():
    told = await told_by(Config(server=ServerSettings(host="192.0.2.1", open=True)), ("192.0.2.7",))
    assert "http://192.0.2.1:8000/" in told
    assert "CAREFUL" in told


def test_who_asks_to_be_let_in_is_shown_with_its_code():
    device = Device("aa:bb", name="kitchen\x1b[2J", model="box")
    shown = asks(device, PairingCode("012345", "aa:bb", "c", "x", 1.0), "lumi")
    assert "kitchen" in shown
    assert "\x1b" not in shown
    assert "lumi devices pair 012345" in shown
