from __future__ import annotations

import pytest

from lumi.protocol.iot import MAX_METHODS, Method, Thing, command, read_descriptors, read_states

SPEAKER = {
    "name": "Speaker",
    "description": "loudspeaker",
    "properties": {"volume": {"description": "how loud", "type": "number"}},
    "methods": {
        "SetVolume": {
            "description": "sets the volume",
            "parameters": {"volume": {"description": "0 to 100", "type": "number"}},
        }
    },
}


def test_a_thing_as_boards_describe_it():
    schema = {
        "type": "object",
        "properties": {"volume": {"description": "0 to 100", "type": "number"}},
        "required": ["volume"],
    }
    method = Method("SetVolume", "sets the volume", schema)
    assert read_descriptors([SPEAKER]) == [Thing("Speaker", "loudspeaker", {"volume": "how loud"}, (method,))]


@pytest.mark.parametrize("nonsense", [{}, {"name": 3}, {"name": ""}])
def test_nonsense_is_left_out_alone(nonsense):
    assert [thing.name for thing in read_descriptors([nonsense, SPEAKER])] == ["Speaker"]
    assert read_states([nonsense, {"name": "A", "state": 4}, {"name": "B", "state": {"on": True}}]) == {
        "B": {"on": True}
    }


def test_a_thing_with_loose_ends():
    (thing,) = read_descriptors(
        [
            {
                "name": "Lamp",
                "properties": [],
                "methods": {"On": None, "Dim": {"parameters": {"to": {"type": "?"}}}},
            }
        ]
    )
    assert (thing.description, dict(thing.properties)) == ("", {})
    assert [method.schema["properties"] for method in thing.methods] == [{}, {"to": {"description": ""}}]


def test_methods_are_bounded():
    (thing,) = read_descriptors([{"name": "A", "methods": {f"m{n}": {} for n in range(1000)}}])
    assert len(thing.methods) == MAX_METHODS


def test_a_command():
    assert command("Speaker", "SetVolume", {"volume": 5}) == {
        "name": "Speaker",
        "method": "SetVolume",
        "parameters": {"volume": 5},
    }
