"""Engines by the settings: what stays the same is kept, what nobody has any more is closed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from lumi.config import Config
from lumi.config.devices import DeviceSettings
from lumi.config.duplex import DuplexSettings
from lumi.config.engines import LlmSettings, NamedEngine, SttSettings, TtsSettings
from lumi.config.vision import VisionSettings
from lumi.errors import ConfigError, EngineUnavailable
from lumi.server import assembly, engine_room
from lumi.server.device_overrides import NOTHING, DeviceOverrides
from lumi.server.engine_room import EngineRoom, fingerprint, told
from lumi.testing.engines import ScriptedLlm, ScriptedVad

LLM = LlmSettings(engine="other")


class Made(ScriptedLlm):
    """Any engine; says what it was made with."""

    def __init__(self, kind: str, name: str, options: dict[str, Any]) -> None:
        super().__init__(name=name)
        self.kind, self.options = kind, dict(options)
        self.starts = 0

    async def start(self) -> None:
        self.starts += 1
        if "broken" in self.options:
            raise EngineUnavailable(self.name, "install it")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Made]:
    engines: list[Made] = []

    def create(_: Config, kind: str, name: str, options: dict[str, Any]) -> Made:
        engines.append(Made(kind, name, options))
        return engines[-1]

    monkeypatch.setattr(assembly, "_create", create)
    return engines


def room(overrides: DeviceOverrides = NOTHING, **given: Any) -> EngineRoom:
    return EngineRoom({"vad": ScriptedVad()} | given, ScriptedLlm, lambda _: overrides)


async def test_an_engine_whose_settings_stay_is_kept(made: list[Made]) -> None:
    house = room()
    first = house.furnish(Config(llm=LLM))
    await first.load()
    second = house.furnish(
        Config(llm=LlmSettings(engine="new", prompt="be kind"), tts=TtsSettings(speed=1.5))
    )
    await second.load()
    assert second.engines.stt is first.engines.stt
    assert second.engines.tts is first.engines.tts
    assert second.engines.llm is not first.engines.llm
    assert second.engines.vad is first.engines.vad
    assert [(one.kind, one.name, one.starts) for one in made] == [
        ("stt", "pocketsphinx", 1), ("llm", "other", 1), ("tts", "espeak", 1), ("llm", "new", 1),
    ]  # fmt: skip
    await first.generation.aclose()
    assert [one.name for one in made if one.closed] == ["other"]
    await second.generation.aclose()
    assert all(one.closed for one in made)


async def test_what_was_given_stays_and_is_not_closed(made: list[Made]) -> None:
    llm = ScriptedLlm()
    house = room(llm=llm, stt=None)
    furnished = house.furnish(Config(llm=LLM))
    assert furnished.engines.llm is llm
    await furnished.generation.aclose()
    assert not llm.closed
    assert {one.kind for one in made} == {"stt", "tts"}


async def test_what_somebody_else_has_loaded_is_not_loaded_again(made: list[Made]) -> None:
    furnished = room().furnish(Config(llm=LLM))
    furnished.loaded()
    await furnished.load()
    assert not any(one.starts for one in made)


async def test_what_cannot_be_loaded_is_named_and_can_be_given_back(made: list[Made]) -> None:
    house = room()
    first = house.furnish(Config(llm=LLM))
    await first.load()
    second = house.furnish(Config(llm=LlmSettings(engine="new", options={"broken": 1})))
    with pytest.raises(EngineUnavailable, match="install it"):
        await second.load()
    await second.generation.aclose()
    assert [one.name for one in made if one.closed] == ["new"]


async def test_a_device_may_have_engines_of_its_own(made: list[Made]) -> None:
    config = Config(
        llm=LLM,
        engines={"spare": NamedEngine(engine="far", model="m"), "mine": NamedEngine(engine="skills")},
        devices={
            "kitchen": DeviceSettings(llm="spare", tts="loud", stt="pocketsphinx"),
            "attic": DeviceSettings(llm="mine"),
        },
    )
    furnished = room().furnish(config)
    await furnished.load()
    kitchen, attic, other = (furnished.generation.kit_of(name) for name in ("kitchen", "attic", "cellar"))
    assert (kitchen.llm.name, kitchen.tts.name, kitchen.stt) == ("far", "loud", furnished.engines.stt)
    assert attic.llm.name == "scripted-llm"
    assert other.llm is furnished.engines.llm
    assert (attic.tts, kitchen.stt) == (other.tts, other.stt)
    assert kitchen.voice_key != attic.voice_key == other.voice_key
    assert {one.name: one.options for one in made if one.kind == "llm"} == {
        "other": {},
        "far": {"model": "m"},
    }
    await furnished.generation.aclose()
    assert all(one.closed for one in made)


def test_an_engine_that_is_not_there_is_named() -> None:
    config = Config(devices={"kitchen": DeviceSettings(llm="nothing")})
    with pytest.raises(ConfigError, match="there is no engine 'nothing'"):
        room().furnish(config)


def test_a_registration_stands_above_the_settings(made: list[Made]) -> None:
    config = Config(
        llm=LLM, devices={"d": DeviceSettings(prompt="be kind", voice="a", tools_deny=("door_*",))}
    )
    kit = room(DeviceOverrides(persona="be brief", llm="unknown")).furnish(config).generation.kit_of("d")
    assert (kit.settings.persona, kit.settings.voice.name) == ("be brief", "a")
    assert kit.overrides.tools_deny == ("door_*",)
    assert kit.llm.name == "other", "only the settings bring engines into the house"
    assert told(config, "e") == NOTHING
    assert made


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Config(llm=LlmSettings(engine="other", prompt="be kind")), True),
        (Config(llm=LLM, stt=SttSettings(timeout_s=1)), True),
        (Config(llm=LLM, engines={"spare": NamedEngine(engine="a")}), True),
        (Config(llm=LlmSettings(engine="other", model="m")), False),
        (Config(llm=LlmSettings(engine="other", api_key=SecretStr("k"))), False),
        (Config(llm=LlmSettings(engine="other", options={"a": 1})), False),
        (Config(llm=LlmSettings(engine="other", slow_s=1)), False),
        (Config(llm=LlmSettings(engine="other", fallback=("skills",))), False),
    ],
)
def test_what_makes_an_engine_another(other: Config, same: bool) -> None:
    assert (fingerprint(other, "llm") == fingerprint(Config(llm=LLM), "llm")) is same


def test_who_takes_over_belongs_to_an_engine() -> None:
    def with_spare(**spare: Any) -> str:
        engines = {"spare": NamedEngine(**{"engine": "openai"} | spare)}
        return fingerprint(Config(llm=LlmSettings(engine="o", fallback=("spare",)), engines=engines), "llm")

    assert with_spare() == with_spare()
    assert len({with_spare(), with_spare(model="m"), with_spare(api_key="k"), with_spare(api_key="l")}) == 4


def test_the_same_holds_for_what_stands_alone() -> None:
    def mark(kind: str, section: DuplexSettings | VisionSettings) -> str:
        return fingerprint(Config().model_copy(update={kind: section}), kind)

    plain, calm = DuplexSettings(engine="a"), DuplexSettings(engine="a", voice="calm")
    assert mark("duplex", plain) == mark("duplex", DuplexSettings(engine="a"))
    assert mark("duplex", plain) != mark("duplex", calm)
    assert mark("vision", VisionSettings(model="m")) == mark("vision", VisionSettings(model="m", timeout_s=1))
    assert mark("vision", VisionSettings(model="m")) != mark("vision", VisionSettings(model="n"))


def test_a_device_has_the_voice_that_its_table_makes() -> None:
    def mark(**table: Any) -> str:
        engines = {"spare": NamedEngine(**{"engine": "far"} | table)}
        return fingerprint(Config(engines=engines), "tts", "spare")

    assert mark() == mark()
    assert mark() != mark(model="m")


async def test_what_hears_and_looks_is_kept_too(made: list[Made]) -> None:
    house = room()
    config = Config(llm=LLM, duplex=DuplexSettings(engine="whole"), vision=VisionSettings(model="m"))
    first, second = house.furnish(config), house.furnish(config.model_copy(update={"llm": LlmSettings()}))
    one, two = first.generation.kit_of("d"), second.generation.kit_of("d")
    assert one.eyes is two.eyes is not None
    assert one.duplex is two.duplex is not None
    await first.generation.aclose()
    third = house.furnish(Config(llm=LLM))
    await second.generation.aclose()
    assert {made_one.name for made_one in made if made_one.closed} >= {"whole", "openai"}
    assert third.generation.kit_of("d").eyes is None


async def test_what_could_not_be_made_is_tried_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {"near"}

    def create(_: Config, kind: str, name: str, options: dict[str, Any]) -> Made:
        if name in missing:
            raise EngineUnavailable(name, "install it")
        return Made(kind, name, options)

    monkeypatch.setattr(assembly, "_create", create)
    monkeypatch.setattr(engine_room, "installed", lambda _: ("far", "near"))
    monkeypatch.setattr(assembly, "installed", lambda _: ("far", "near"))
    config = Config(llm=LlmSettings(engine="far", fallback=("near",)))
    house = room()
    names = []
    for _ in range(3):
        llm = house.furnish(config).engines.llm
        names.append([engine.name for engine in llm.roster.engines])  # type: ignore[attr-defined]
        missing.clear()
    assert names == [["far"], ["far", "near"], ["far", "near"]]
