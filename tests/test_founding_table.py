"""The tables of the first design and of the protocol name files and tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = {"founding-document.md": 60, "protocol-check.md": 170}
"""And how many files and tests each names at least."""


def named_in(page: str) -> set[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return set(re.findall(r"`((?:src|tests)/[\w/.]+\.py(?:::\w+)?)`", text))


@pytest.mark.parametrize(("page", "many"), PAGES.items())
def test_each_table_names_many(page: str, many: int) -> None:
    assert len(named_in(page)) > many


def test_every_rule_of_the_protocol_names_who_keeps_it_and_who_shows_it() -> None:
    text = (ROOT / "docs/protocol-check.md").read_text(encoding="utf-8")
    rules = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    for rule, kept_by, shown_by in rules:
        if rule != "rule":
            assert "`src/lumi/" in kept_by, rule
            assert "`tests/" in shown_by, rule


@pytest.mark.parametrize("named", sorted(set.union(*map(named_in, PAGES))))
def test_what_a_table_names_exists(named: str) -> None:
    path, _, test = named.partition("::")
    source = (ROOT / path).read_text(encoding="utf-8")
    functions = {
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not test or test in functions
