from __future__ import annotations

import re
from importlib import metadata

import msgspec
import pytest

from lumi.errors import ModelError
from lumi.models.catalogue import HUB, catalogue, find, from_hub, parsed


def test_every_entry_is_of_use():
    engines = {point.name for point in metadata.entry_points(group="lumi.engines")}
    for name, model in catalogue().items():
        assert re.fullmatch(r"[a-z0-9-]+", name)
        assert f"{model.kind}.{model.engine}" in engines
        assert model.about
        assert model.about_zh
        assert 10 < model.megabytes < 2_000
        assert model.name == name


def test_files_come_encrypted_and_stay_in_their_folder():
    for model in catalogue().values():
        names = [file.name for file in model.files]
        assert len(names) == len(set(names))
        for file in model.files:
            assert file.url.startswith(f"{HUB}/") or file.url.startswith("https://github.com/")
            assert re.fullmatch(r"[\w.-]+", file.name)
            assert re.fullmatch(r"([0-9a-f]{64})?", file.sha256)


def test_known_sizes_agree_with_what_people_are_told():
    for model in catalogue().values():
        known = sum(file.size_bytes or 0 for file in model.files) / 1e6
        assert known < model.megabytes * 1.05


def test_chinese_can_be_heard_and_spoken():
    for kind in ("stt", "tts"):
        assert [model for model in catalogue().values() if model.kind == kind and "zh" in model.languages]


def test_an_unknown_name_is_told_the_known_ones():
    with pytest.raises(ModelError, match=r"no model .sensevoice.*sense-voice"):
        find("sensevoice", catalogue())
    assert find("sense-voice", catalogue()).engine == "sherpa"


def test_another_hub_has_the_same_layout():
    assert from_hub(f"{HUB}/a/resolve/main/b", "https://mirror.example/") == (
        "https://mirror.example/a/resolve/main/b"
    )
    assert from_hub("https://github.com/a", "https://mirror.example") == "https://github.com/a"


def test_a_misspelt_entry_is_an_error():
    with pytest.raises(msgspec.ValidationError, match="size"):
        parsed('[a]\nengine="whisper"\nkind="stt"\nlanguages=[]\nmegabytes=1\nlicence="MIT"\npage=""\nabout=""\n'
               'about_zh=""\nfiles=[{url="https://a/b", size=1}]')  # fmt: skip
