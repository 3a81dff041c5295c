"""Reading JSGF."""

from __future__ import annotations

import pytest

from lumi.engines.jsgf import Choice, Node, Reference, Repeat, Series, Word, parse, walk, words
from lumi.errors import ConfigError


def body(expansion: str) -> Node:
    return parse(f"#JSGF V1.0 UTF-8 en; grammar g; <other> = x; public <main> = {expansion};").bodies[
        "<main>"
    ]


A, B, C = Word("a"), Word("b"), Word("c")


@pytest.mark.parametrize(
    ("expansion", "tree"),
    [
        ("a", A),
        ("a b", Series((A, B))),
        ("a | b c", Choice((A, Series((B, C))))),
        ("(a | b) c", Series((Choice((A, B)), C))),
        ("a [b]", Series((A, Choice((B, Series()))))),
        ("a+ b*", Series((Repeat(A), Choice((Repeat(B), Series()))))),
        ("a <other>", Series((A, Reference("<other>")))),
        ("a <NULL> | <VOID>", Choice((Series((A, Series())), Choice()))),
        ('/0.5/ a {tag} | /2/ "b"', Choice((A, B))),
        ("a /* not this */ // nor this\n b", Series((A, B))),
        ("", Series()),
        ("it's o'clock", Series((Word("it's"), Word("o'clock")))),
    ],
)
def test_expansions(expansion: str, tree: Node) -> None:
    assert body(expansion) == tree


def test_rules_and_words() -> None:
    rules = parse(
        "#JSGF V1.0;\n\ngrammar g;\n<a> = one | two;\npublic <b> = <a>+ [three];\npublic <c> = four;"
    )
    assert rules.public == ("<b>", "<c>")
    assert words(rules) == {"one", "two", "three", "four"}


def test_walking_sees_everything_once() -> None:
    assert [node for node in walk(body("a [b] c+")) if isinstance(node, Word)] == [A, B, C]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("grammar g; <a> = b;", "has no public rule"),
        ("public <a> = <b>;", "rule <a> uses <b>, which is not defined"),
        ("public <a> = (b;", r"rule <a> lacks a '\)'"),
        ("public <a> = [b);", r"rule <a> lacks a '\]'"),
        ("public <a> = b);", r"rule <a> has an unpaired '\)'"),
        ("public <a> = * b;", r"has a '\*' where a word should be"),
        ("what is this; public <a> = b;", "'what is this' is no JSGF statement"),
        ("", "has no public rule"),
    ],
)
def test_mistakes_are_named(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse(text)
