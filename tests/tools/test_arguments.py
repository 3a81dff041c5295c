from __future__ import annotations

from typing import Any

import pytest

from lumi.engines.base import ToolSpec
from lumi.errors import ToolError
from lumi.tools.arguments import MOST_CHARS, canonical, read

LIGHT = ToolSpec(
    "light",
    "",
    {
        "type": "object",
        "properties": {"level": {"type": "integer", "maximum": 100}, "room": {"enum": ["hall", "kitchen"]}},
        "required": ["room"],
        "additionalProperties": False,
    },
)


def test_arguments_are_read():
    assert read(LIGHT, '{"room": "hall", "level": 5}') == {"room": "hall", "level": 5}
    assert read(ToolSpec("bare", ""), "") == {}
    assert read(ToolSpec("bare", ""), '{"any": [1]}') == {"any": [1]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'room' is a required property"),
        ("{", "not JSON"),
        ("[1]", "one JSON object"),
        ("null", "one JSON object"),
        ('{"room": "attic"}', "room: 'attic' is not one of"),
        ('{"room": "hall", "level": "high"}', "level: 'high' is not of type 'integer'"),
        ('{"room": "hall", "levl": 3}', "levl"),
        ("[" * 200_000, "longer than"),
        ("[" * (MOST_CHARS - 1), "not JSON"),
    ],
)
def test_a_model_is_told_what_is_wrong(text: str, said: str):
    with pytest.raises(ToolError, match="light: the arguments") as caught:
        read(LIGHT, text)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "http://localhost:1/schema.json"},
        {"$ref": "#/$defs/gone"},
        {"$ref": "#"},
    ],
)
def test_a_schema_that_makes_no_sense_lets_everything_through(schema: dict[str, Any]):
    assert read(ToolSpec("odd", "", schema), '{"a": 1}') == {"a": 1}


def test_one_text_for_the_same_arguments():
    assert canonical({"b": 1, "a": "é"}) == canonical({"a": "é", "b": 1}) == '{"a":"é","b":1}'
