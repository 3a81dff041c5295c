"""The file that `lumi init` writes: it loads as it is, and with every example in it taken at its word."""

import re
import tomllib

import pytest

from lumi.config import read
from lumi.config.example import example, toml
from lumi.config.reference import properties
from lumi.config.settings import Config
from lumi.config.tree import Keys

CHOSEN: dict[Keys, object] = {
    ("llm", "engine"): "openai",
    ("llm", "api_key"): "env:KEY",
    ("server", "port"): 1234,
}


def test_what_was_chosen_is_set_and_nothing_else(tmp_path):
    file = tmp_path / "lumi.toml"
    file.write_text(example(CHOSEN))
    reading = read(file, environ={"KEY": "sk-1"})
    assert set(reading.origin) == set(CHOSEN)
    assert (reading.config.llm.engine, reading.config.server.port) == ("openai", 1234)
    file.write_text(example({}))
    assert read(file, environ={}).config == Config()


def test_every_example_in_it_would_be_accepted(tmp_path):
    file = tmp_path / "lumi.toml"
    text = re.sub(r"^#(?=\S)", "", example({}), flags=re.MULTILINE)
    file.write_text(text)
    names = re.findall(r'"env:(\w+)"', text)
    reading = read(file, environ=dict.fromkeys(names, "a-secret"))
    assert reading.config.engines["NAME"].engine
    assert set(tomllib.loads(text)) == {*Config.model_fields, "profiles"}


def test_every_setting_stands_in_it():
    text = example({})
    for name in Config.model_fields:
        _, schema = properties(name)
        part = re.split(r"^#?\[", text, flags=re.MULTILINE)
        own = next(one for one in part if re.match(rf"{name}(\.NAME)?\]", one))
        for key in schema["properties"]:
            assert re.search(rf"^#{key} = ", own, re.MULTILINE), f"{name}.{key}"


@pytest.mark.parametrize("value", ['a "b" \\ \n\x7fé', 3, 1.5, True, [], ["a", 'b"'], {}, {"a b": [1]}])
def test_values_are_written_as_toml_reads_them(value):
    assert tomllib.loads(f"x = {toml(value)}")["x"] == value
