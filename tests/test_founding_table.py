"""The table of the first design names files and tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.findall(
    r"`((?:src|tests)/[\w/.]+\.py(?:::\w+)?)`",
    (ROOT / "docs/founding-document.md").read_text(encoding="utf-8"),
)


def test_the_table_names_many() -> None:
    assert len(set(NAMED)) > 60


@pytest.mark.parametrize("named", sorted(set(NAMED)))
def test_what_the_table_names_exists(named: str) -> None:
    path, _, test = named.partition("::")
    source = (ROOT / path).read_text(encoding="utf-8")
    functions = {
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not test or test in functions
