from collections.abc import Mapping
from typing import Any

import pytest

from lumi.config import Config
from lumi.config.engines import LlmSettings, NamedEngine, TtsSettings
from lumi.engines.fallback_llm import FallbackLlm
from lumi.engines.fallback_tts import FallbackTts
from lumi.engines.roster import Failed, News
from lumi.errors import ConfigError, EngineUnavailable
from lumi.server.engine_lists import EngineLists
from lumi.testing.engines import ScriptedLlm

SPARE = {"spare": NamedEngine(engine="far", model="m", base_url="http://far/")}


class House:
    """Two engines of every kind are installed; those in `missing` cannot run here."""

    def __init__(self, config: Config, *missing: str) -> None:
        self.made: list[tuple[str, str, Mapping[str, Any]]] = []
        self.news: list[News] = []
        self.missing = missing
        self.lists = EngineLists(
            config,
            make=self.make,
            installed=lambda kind: ("far", "near", "espeak") if kind == "tts" else ("far", "near"),
            skills=lambda: ScriptedLlm(name="skills"),
            tell=self.news.append,
        )

    def make(self, kind: str, name: str, arguments: Mapping[str, Any]) -> ScriptedLlm:
        if name in self.missing:
            raise EngineUnavailable(name, "pip install it")
        self.made.append((kind, name, arguments))
        return ScriptedLlm(name=name)


def test_names_are_engines_or_tables_asked_in_their_order():
    llm = LlmSettings(engine="far", model="big", fallback=("spare", "near"), slow_s=3)
    house = House(Config(llm=llm, engines=SPARE))
    made = house.lists.listed("llm")
    assert isinstance(made, FallbackLlm)
    assert made.roster.slow_s == 3
    assert [(one.name, one.setting) for one in made.roster.members] == [
        ("far", "llm.engine"),
        ("spare", "engines.spare"),
        ("near", "llm.fallback"),
    ]
    assert house.made == [
        ("llm", "far", {"model": "big"}),
        ("llm", "far", {"model": "m", "base_url": "http://far/"}),
        ("llm", "near", {}),
    ]


def test_the_built_in_answerer_can_stand_in():
    config = Config(llm=LlmSettings(engine="far", fallback=("near", "mine")))
    config = config.model_copy(update={"engines": {"mine": NamedEngine(engine="skills")}})
    lists = EngineLists(
        config,
        make=House(config).make,
        installed=lambda _: ("far", "near", "skills"),
        skills=lambda: ScriptedLlm(name="skills"),
        tell=lambda _: None,
    )
    assert [engine.name for engine in lists.listed("llm").roster.engines] == ["far", "near", "skills"]


@pytest.mark.parametrize(
    ("fallback", "tables", "key", "says"),
    [
        (("nearr",), {}, "llm.fallback", "'nearr' is neither an engine \\(far, near\\) nor a table"),
        (("near", "near"), {}, "llm.fallback", "'near' is asked already"),
        (("far",), {}, "llm.fallback", "'far' is asked already"),
        (("bad",), {"bad": NamedEngine(engine="x")}, "engines.bad.engine", "there is no llm engine 'x'"),
    ],
)
def test_a_name_that_means_nothing_is_an_error_that_says_so(fallback, tables, key, says):
    config = Config(llm=LlmSettings(engine="far", fallback=fallback), engines=tables)
    with pytest.raises(ConfigError, match=says) as caught:
        House(config).lists.listed("llm")
    assert caught.value.key == key


def test_a_table_in_the_first_place_is_an_error_that_says_where_its_settings_belong():
    with pytest.raises(ConfigError, match=r"^llm\.engine: 'spare' is a table, .* settings in \[llm\] itself"):
        House(Config(llm=LlmSettings(engine="spare"), engines=SPARE)).lists.listed("llm")


def test_one_that_cannot_run_here_is_told_and_not_asked():
    house = House(Config(tts=TtsSettings(engine="far", fallback=("near",))), "far")
    made = house.lists.listed("tts")
    assert isinstance(made, FallbackTts)
    assert made.name == "near"
    (news,) = house.news
    assert isinstance(news, Failed)
    assert (news.name, news.setting) == ("far", "tts.engine")
    with pytest.raises(EngineUnavailable, match="far: pip install it"):
        House(Config(tts=TtsSettings(engine="far", fallback=("near",))), "far", "near").lists.listed("tts")


async def test_one_that_cannot_run_here_is_told_once():
    house = House(Config(tts=TtsSettings(engine="far", fallback=("near",))), "far")
    await house.lists.listed("tts").start()
    assert len(house.news) == 1


def test_a_device_has_one_with_none_to_stand_in():
    house = House(Config(engines=SPARE))
    assert house.lists.single("llm", "spare").roster.members[0].setting == "devices.*.llm"
    assert len(house.lists.single("llm", "near").roster.members) == 1
    assert house.lists.single("llm", "skills").name == "skills"


@pytest.mark.parametrize(
    ("tts", "names"),
    [
        (TtsSettings(engine="far"), ["far", "espeak"]),
        (TtsSettings(engine="far", fallback=()), ["far"]),
        (TtsSettings(engine="far", fallback=("near",)), ["far", "near"]),
        (TtsSettings(), ["espeak"]),
    ],
)
def test_the_built_in_voice_takes_over_where_nothing_else_is_set(tts: TtsSettings, names: list[str]):
    house = House(Config(tts=tts))
    assert [one.name for one in house.lists.listed("tts").roster.members] == names


def test_also_a_voice_that_only_one_device_has_is_stood_in_for():
    own = House(Config(engines=SPARE)).lists
    assert [one.name for one in own.single("tts", "spare").roster.members] == ["spare", "espeak"]
    assert len(own.single("tts", "espeak").roster.members) == 1
    off = House(Config(engines=SPARE, tts=TtsSettings(fallback=()))).lists
    assert len(off.single("tts", "spare").roster.members) == 1


def test_a_house_without_the_built_in_voice_does_without():
    lists = EngineLists(
        Config(tts=TtsSettings(engine="far")),
        make=House(Config()).make,
        installed=lambda _: ("far",),
        skills=ScriptedLlm,
        tell=lambda _: None,
    )
    assert len(lists.listed("tts").roster.members) == 1
