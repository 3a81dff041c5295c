from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from msgspec import UNSET, Meta, UnsetType

from lumi.protocol.fields import accepted, look_up, tag_of, to_json, words
from lumi.protocol.messages import (
    Chat,
    ClientHello,
    ClientIot,
    Features,
    Mcp,
    Metrics,
    ServerHello,
    Timestamp,
    TtsState,
)


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (str, "text"),
        (Any, "anything"),
        (str | None, "text or null"),
        (bool | UnsetType, "true or false"),
        (int | None, "a whole number or null"),
        (Timestamp, "text or a number"),
        (Literal["a", "b"], '"a" or "b"'),
        (Literal["a", "b"] | None, '"a", "b" or null'),
        (Literal["a"], '"a"'),
        (TtsState, '"start", "sentence_start", "sentence_end" or "stop"'),
        (list[dict[str, Any]], "a list of objects"),
        (tuple[str, ...], "a list of texts"),
        (list[list[str]], "a list of objects"),
        (dict[str, float], "an object"),
        (Features, "an object"),
        (Annotated[str, Meta(max_length=5)], "text of 0 to 5 characters"),
        (Annotated[int, Meta(ge=1, le=5)], "a whole number from 1 to 5"),
        (Annotated[float, Meta(ge=0)], "a number from 0 up"),
        (Annotated[float, "a note"], "a number"),
    ],
)
def test_what_a_type_accepts_in_words(annotation, said):
    assert words(annotation) == said


@pytest.mark.parametrize(
    ("message_type", "path", "said"),
    [
        (Chat, "id", "text of 1 to 128 characters"),
        (ClientHello, "audio_params", "an object or null"),
        (ClientHello, "audio_params.sample_rate", "a whole number"),
        (ServerHello, "server_info.capabilities[0]", "text"),
        (ClientIot, "descriptors[3]", "an object"),
        (Metrics, "stages[...]", "a number"),
        (Mcp, "payload[...][...]", "anything"),
        (Chat, "nonsense", "anything"),
    ],
)
def test_what_a_field_accepts(message_type, path, said):
    assert accepted(message_type, path) == said


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", {"b": [1, 2]}),
        ("a.b", [1, 2]),
        ("a.b[1]", 2),
        ("a.b[2]", UNSET),
        ("a[0]", UNSET),
        ("a.c", UNSET),
        ("a.b.c", UNSET),
        ("a[...]", UNSET),
        ("", {"a": {"b": [1, 2]}}),
    ],
)
def test_a_path_is_followed_as_far_as_it_goes(path, found):
    assert look_up({"a": {"b": [1, 2]}}, path) == found


def test_a_tag_is_the_type_on_the_wire():
    assert tag_of(ServerHello) == tag_of(ClientHello) == "hello"


def test_json_is_shown_as_it_stands_in_a_message():
    assert to_json(True) == "true"
    assert to_json("语") == '"语"'
