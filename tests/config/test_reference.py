import runpy
import sys
from pathlib import Path

import pytest

from lumi.config.reference import accepted, markdown
from lumi.config.settings import Config
from lumi.config.tree import as_named, as_table

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_in_the_docs_is_fresh():
    assert PAGE.read_text(encoding="utf-8") == markdown(), (
        "write it anew: python -m lumi.config docs/configuration.md"
    )


def test_every_setting_is_described():
    for name, field in Config.model_fields.items():
        table, each = as_table(field.annotation), as_named(field.annotation)
        section, above = (table, name) if table else (each, f"{name}.NAME")
        assert section is not None
        for key, setting in section.model_fields.items():
            assert setting.description, f"{name}.{key}"
            assert f"| `{above}.{key}` |" in markdown()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("server", "port"), "a whole number, at least 0, at most 65535"),
        (("server", "host"), "text, not empty"),
        (("server", "token"), "a secret of at least 8 characters"),
        (("server", "data_dir"), "a path"),
        (("server", "origins"), "a list of texts"),
        (("store", "engine"), "sqlite, memory"),
        (("vad", "threshold"), "a number, above 0, below 1"),
        (("stt", "options"), "a table"),
        (("store",), "a table with engine, answers_hours"),
        (("engines",), "a table"),
        (("engines", "spare", "engine"), "text, not empty"),
        (("engines", "spare", "options", "words"), "a table"),
    ],
)
def test_what_is_accepted_is_said_in_words(path, words):
    assert accepted(path) == words


def test_the_module_writes_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["lumi.config", str(tmp_path / "page.md")])
    runpy.run_module("lumi.config", run_name="__main__")
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == markdown()
