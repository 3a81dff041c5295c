import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from lumi.config import Config
from lumi.config.clients import ClientSettings
from lumi.config.engines import LlmSettings, TtsSettings, TurnSettings, VadSettings
from lumi.config.serving import LimitSettings, LocaleSettings, ServerSettings, StoreSettings
from lumi.engines.fallback_llm import FallbackLlm
from lumi.errors import ConfigError
from lumi.server import assembly
from lumi.server.assembly import (
    Engines,
    create_engines,
    data_directory,
    doorkeeper,
    gateway_settings,
    machine_timezone,
    open_store,
    session_settings,
    starters,
    unheard,
)
from lumi.server.auth import Doorkeeper, Rules
from lumi.server.late_vad import LateVad
from lumi.server.origins import Origins
from lumi.store.memory import MemoryStore
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad


def test_a_data_directory_is_made(tmp_path):
    config = Config(server=ServerSettings(data_dir=tmp_path / "a" / "b"))
    assert data_directory(config) == tmp_path / "a" / "b"
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_data_directory_that_cannot_be_had_is_named(tmp_path, name):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="LUMI_DATA_DIR") as caught:
        data_directory(Config(server=ServerSettings(data_dir=tmp_path / name)))
    assert caught.value.key == "server.data_dir"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_directory_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="cannot be written"):
        data_directory(Config(server=ServerSettings(data_dir=tmp_path)))


def test_limits_reach_the_gateway():
    limits = LimitSettings(
        text_bytes=5000, binary_bytes=2000, chat_chars=7, hello_s=3, idle_s=9, outgoing_frames=99
    )
    settings = gateway_settings(Config(limits=limits), "1.2.3")
    assert (settings.limits.text_bytes, settings.limits.binary_bytes, settings.limits.content_chars) == (
        5000,
        2000,
        7,
    )
    assert (settings.hello_s, settings.idle_s, settings.outgoing_frames) == (3, 9, 99)
    assert settings.server_version == "1.2.3"


def test_the_door_knows_its_rules():
    server = ServerSettings(host="0.0.0.0", token="let-me-in", origins=("https://a.example",))  # type: ignore[arg-type]
    assert doorkeeper(Config(server=server)) == Doorkeeper(
        Rules(("let-me-in",)), Origins("0.0.0.0", ("https://a.example",))
    )
    locked = ServerSettings(
        tokens=(SecretStr("let-me-in"), SecretStr("and-me-too")), allow=("aa:bb",), pairing=True
    )
    assert doorkeeper(Config(server=locked)).rules == Rules(
        ("let-me-in", "and-me-too"), frozenset({"aa:bb"}), pairing=True
    )
    assert doorkeeper(Config()) == Doorkeeper()


def test_sessions_behave_as_set():
    config = Config(
        turn=TurnSettings(silence_ms=500, min_speech_ms=50, max_speech_s=10, margin_ms=7),
        vad=VadSettings(threshold=0.6),
        tts=TtsSettings(voice="yue", speed=1.5, timeout_s=3),
        llm=LlmSettings(prompt="Be kind."),
        locale=LocaleSettings(language="zh", locale="zh_CN", timezone="Asia/Shanghai"),
    )
    settings = session_settings(config)
    assert (settings.endpoint.silence_ms, settings.endpoint.max_utterance_ms) == (500, 10_000)
    assert settings.endpoint.stop_threshold < settings.endpoint.start_threshold == 0.6
    assert (settings.turn.min_speech_ms, settings.turn.tts_timeout_s) == (50, 3)
    assert (settings.voice.name, settings.voice.speed) == ("yue", 1.5)
    assert (settings.persona, settings.margin_ms) == ("Be kind.", 7)
    assert (settings.language, settings.locale, settings.timezone) == ("zh", "zh_CN", "Asia/Shanghai")


@pytest.mark.parametrize(
    ("target", "environment", "name"),
    [
        ("zoneinfo/Europe/Berlin", {}, "Europe/Berlin"),
        ("zoneinfo/Europe/Berlin", {"TZ": "Asia/Tokyo"}, "Asia/Tokyo"),
        ("zoneinfo/Europe/Berlin", {"TZ": ":Asia/Tokyo"}, "Asia/Tokyo"),
        ("zoneinfo/Europe/Berlin", {"TZ": "CET-1CEST"}, "Europe/Berlin"),
        ("zoneinfo/Europe/Berlin", {"TZ": "../Asia/Tokyo"}, "Europe/Berlin"),
        ("zoneinfo/Europe/Berlin", {"TZ": "Asia"}, "Europe/Berlin"),
        ("zoneinfo/Nowhere/Land", {}, "UTC"),
        ("copied", {}, "UTC"),
    ],
)
def test_the_machines_own_time_zone(tmp_path, target, environment, name):
    (tmp_path / "localtime").symlink_to(tmp_path / target)
    assert machine_timezone(tmp_path / "localtime", environment) == name


async def test_a_store_in_memory():
    store = await open_store(Config(store=StoreSettings(engine="memory")))
    assert isinstance(store, MemoryStore)
    await store.aclose()


@pytest.mark.real
async def test_a_store_in_a_file(tmp_path):
    store = await open_store(Config(server=ServerSettings(data_dir=tmp_path)))
    assert (tmp_path / assembly.DATABASE).exists()
    await store.aclose()


def test_given_engines_are_taken_and_others_made_by_name(monkeypatch):
    made: list[Any] = []

    def create(_config: Config, kind: str, name: str, options: dict[str, Any]) -> Any:
        made.append((kind, name, options))
        return ScriptedVad() if kind == "vad" else ScriptedLlm(name=f"{kind}:{name}")

    monkeypatch.setattr(assembly, "_create", create)
    stt = ScriptedStt()
    config = Config(llm=LlmSettings(engine="other", options={"model": "m"}))
    engines = create_engines(config, {"stt": stt, "vad": None}, ScriptedLlm)
    assert engines.stt is stt
    assert (engines.llm.name, engines.tts.name) == ("llm:other", "tts:espeak")
    assert isinstance(engines.vad, LateVad)
    assert made == [("llm", "other", {"model": "m"}), ("tts", "espeak", {})]
    assert isinstance(engines.vad.load(), ScriptedVad)


def test_the_built_in_answerer_is_made_with_its_timers():
    llm = ScriptedLlm()
    given = {"vad": ScriptedVad(), "stt": ScriptedStt(), "tts": ScriptedTts()}
    made = create_engines(Config(), given, lambda: llm).llm
    assert isinstance(made, FallbackLlm)
    assert made.roster.engines == (llm,)


async def test_what_has_something_to_load_is_loaded():
    loaded = []

    class Loading(ScriptedStt):
        async def start(self) -> None:
            loaded.append("stt")

    def make() -> ScriptedVad:
        loaded.append("vad")
        return ScriptedVad()

    found = starters(Engines(LateVad(make), Loading(), ScriptedLlm(), ScriptedTts()))
    assert sorted(found) == ["stt", "vad"]
    for start in found.values():
        await start()
    assert sorted(loaded) == ["stt", "vad"]
    assert starters(Engines(ScriptedVad(), ScriptedStt(), ScriptedLlm(), ScriptedTts())) == {}


def test_languages_that_are_not_heard():
    class English(ScriptedStt):
        languages = ("en",)

    assert unheard(ScriptedStt()) == ()
    assert unheard(English()) == ("Chinese",)


def test_paths_of_this_machine_by_default():
    assert machine_timezone() == machine_timezone(Path("/etc/localtime"))


def test_clients_are_those_that_are_known_and_those_that_are_set():
    config = Config(
        clients={
            "firmware": ClientSettings(lead_ms=60, idle_s=5),
            "toy": ClientSettings(user_agent="ToyBear/", like="firmware", frame_ms=20),
        }
    )
    table = assembly.clients(config)
    assert assembly.gateway_settings(config, "1").clients == table
    known = {profile.name: profile for _, profile in table}
    assert (known["firmware"].lead_ms, known["firmware"].idle_s, known["firmware"].gap_ms) == (60, 5, 40)
    assert (known["toy"].frame_ms, known["toy"].idle_s) == (20, 5)
    assert table[0][0].user_agent == ("toybear/",)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (ClientSettings(), "user_agent must be given"),
        (ClientSettings(user_agent="x", like="nobody"), "'nobody' is no client; accepted: gateway"),
    ],
)
def test_a_client_that_cannot_be_told_apart_is_refused(settings, problem):
    with pytest.raises(ConfigError, match=problem):
        assembly.clients(Config(clients={"toy": settings}))
