import pytest

from lumi.config import load
from lumi.config.devices import DeviceSettings, fits
from lumi.errors import ConfigError

TABLES = """
[devices.kitchen]
match = ["aa:bb:cc:*", "kitchen-?"]
prompt = "Be brief."
speed = 1.2
[devices."*"]
language = "zh"
timezone = "Asia/Shanghai"
speed = 0.9
[devices."AA:BB:CC:00:00:01"]
prompt = "Be kind."
tools_deny = ["door_*"]
"""


def settings(tmp_path, text=TABLES, **environ: str):
    (tmp_path / "lumi.toml").write_text(text)
    return load(environ=environ, directory=tmp_path)


@pytest.mark.parametrize(
    ("name", "match", "device", "fit"),
    [
        ("board", (), "board", 2),
        ("board", (), "BOARD", 2),
        ("board", (), "board-2", 0),
        ("board-*", (), "board-2", 1),
        ("mine", ("a?",), "ab", 1),
        ("mine", ("a?",), "mine", 0),
        ("mine", ("a*", "ab"), "ab", 2),
    ],
)
def test_how_well_a_table_fits(name, match, device, fit):
    assert fits(name, DeviceSettings(match=match), device) == fit


def test_tables_that_fit_are_joined_the_very_name_before_patterns_and_the_later_before_the_earlier(tmp_path):
    device = settings(tmp_path).for_device("aa:bb:cc:00:00:01")
    assert (device.prompt, device.speed, device.language) == ("Be kind.", 0.9, "zh")
    assert device.tools_deny == ("door_*",)
    assert device.tools_allow is None


def test_a_device_that_no_table_fits_is_as_all(tmp_path):
    assert settings(tmp_path, "[devices.a]\nspeed = 1.5\n").for_device("b") == DeviceSettings()


def test_the_environment_may_say_it_too(tmp_path):
    config = settings(
        tmp_path, "", LUMI_DEVICES__KITCHEN__MATCH="k-*, l", LUMI_DEVICES__KITCHEN__VOICE="en-gb"
    )
    assert config.for_device("K-9").voice == "en-gb"
    assert config.for_device("l").voice == "en-gb"


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ('timezone = "Mars/North"', "devices.kitchen.timezone", "is no time zone"),
        ('promt = ""', "devices.kitchen.promt", "did you mean devices.kitchen.prompt"),
        ("speed = 9", "devices.kitchen.speed", "at most 2"),
        ('language = "fr"', "devices.kitchen.language", "accepted: zh, en"),
        ('locale = "english"', "devices.kitchen.locale", "accepted: text like en_US"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, key, words):
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, f"[devices.kitchen]\n{line}\n")
    assert caught.value.key == key
    assert words in str(caught.value)
