"""What the page says, its faces and its size: by its files alone."""

from __future__ import annotations

import re
from pathlib import Path

from lumi.protocol.messages import EMOTIONS

WEB = Path(__file__).parents[2] / "src" / "lumi" / "web"


def test_both_languages_say_the_same_things():
    source = (WEB / "page" / "texts.js").read_text(encoding="utf-8")
    english, chinese = (
        dict(re.findall(r'^  (\w+): "(.*)",$', part, re.MULTILINE)) for part in source.split("const ZH = ")
    )
    assert english
    assert english.keys() == chinese.keys()
    for key, words in english.items():
        assert set(re.findall(r"\{\w+\}", words)) == set(re.findall(r"\{\w+\}", chinese[key])), key


def test_every_word_that_is_shown_is_in_the_table_and_every_word_of_it_is_shown():
    page = (WEB / "index.html").read_text(encoding="utf-8")
    scripts = "\n".join(
        path.read_text(encoding="utf-8") for path in (WEB / "page").glob("*.js") if path.name != "texts.js"
    )
    table = set(
        re.findall(r"^  (\w+): \"", (WEB / "page" / "texts.js").read_text(encoding="utf-8"), re.MULTILINE)
    )
    marked = set(re.findall(r'data-(?:t|label|placeholder)="(\w+)"', page))
    assert marked <= table
    named = set(re.findall(r'"(\w+)"', scripts)) | set(re.findall(r"(\w+):", scripts))
    built = {
        "listShopping",
        "listTodo",
        "listNameShopping",
        "listNameTodo",
        "handsFreeHelp",
        "realtimeHelp",
        "reminder",
    }
    assert table - marked - named - built == set()


def test_every_module_is_asked_for_at_once():
    """Else the browser learns of the next ones only when it has read the first."""
    page = (WEB / "index.html").read_text(encoding="utf-8")
    ahead = set(re.findall(r'<link rel="modulepreload" href="/([\w/.]+)">', page))
    ours = {f"page/{path.name}" for path in (WEB / "page").glob("*.js")} - {"page/boot.js", "page/main.js"}
    assert ours <= ahead
    assert [name for name in ahead if not (WEB / name).is_file()] == []


def test_what_is_loaded_later_is_kept_for_when_there_is_no_line():
    page = (WEB / "index.html").read_text(encoding="utf-8")
    install = (WEB / "page" / "install.js").read_text(encoding="utf-8")
    (later,) = re.findall(r"const LATER = \[(.*?)\]", install)
    named = {f"sdk/audio/{name}.js" for name in re.findall(r'"([\w-]+)"', later)}
    ahead = set(re.findall(r'<link rel="modulepreload" href="/([\w/.]+)">', page))
    assert named | ahead >= {f"sdk/{path.relative_to(WEB / 'sdk')}" for path in (WEB / "sdk").rglob("*.js")}


def test_there_is_a_face_for_every_emotion():
    faces = (WEB / "page" / "face.js").read_text(encoding="utf-8")
    assert set(re.findall(r"^  (\w+): \{ lines", faces, re.MULTILINE)) == set(EMOTIONS)


def test_the_page_is_small():
    shell = [path for path in WEB.rglob("*") if path.is_file() and "console" not in path.parts]
    assert sum(path.stat().st_size for path in shell) <= 250_000
