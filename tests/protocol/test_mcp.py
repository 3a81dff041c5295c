from __future__ import annotations

import pytest

from lumi.protocol.mcp import (
    MAX_DESCRIPTION_CHARS,
    MAX_RESULT_CHARS,
    ListedTool,
    ToolPage,
    VisionAccess,
    initialize,
    read_page,
    read_result,
)


def test_a_camera_board_learns_where_to_post():
    assert "vision" not in initialize("1", None)["capabilities"]
    told = initialize("1", VisionAccess("http://here/see", "t"))
    assert told["capabilities"]["vision"] == {"url": "http://here/see", "token": "t"}
    assert told["clientInfo"] == {"name": "lumi", "version": "1"}


def test_a_page_of_tools():
    schema = {"type": "object", "properties": {"volume": {"type": "integer"}}}
    page = read_page(
        {"tools": [{"name": "a.b", "description": "sets", "inputSchema": schema}], "nextCursor": "c"}
    )
    assert page == ToolPage((ListedTool("a.b", "sets", schema),), "c")


@pytest.mark.parametrize(
    "tool",
    [
        None,
        "a",
        {},
        {"name": ""},
        {"name": 3},
        {"name": "n" * 200},
        {"name": "a", "inputSchema": {"x": "y" * 20_000}},
    ],
)
def test_a_tool_that_makes_no_sense_is_left_out_alone(tool):
    assert [one.name for one in read_page({"tools": [tool, {"name": "good"}]}).tools] == ["good"]


@pytest.mark.parametrize("value", [None, [], "x", {}, {"tools": None}, {"tools": {}, "nextCursor": 5}])
def test_a_page_that_is_none(value):
    assert read_page(value) == ToolPage(())


def test_a_tool_without_schema_takes_nothing():
    (tool,) = read_page({"tools": [{"name": "a", "description": "x" * 9_000, "inputSchema": []}]}).tools
    assert tool.schema == {"type": "object", "properties": {}}
    assert len(tool.description) == MAX_DESCRIPTION_CHARS


@pytest.mark.parametrize(
    ("value", "text", "failed"),
    [
        ({"content": [{"type": "text", "text": "on"}], "isError": False}, "on", False),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "a\nb", False),
        ({"content": [{"type": "text", "text": "jammed"}], "isError": True}, "jammed", True),
        (
            {"content": [{"type": "image", "mimeType": "image/jpeg", "data": "AAAA"}]},
            "(image: image/jpeg, 4 characters)",
            False,
        ),
        ({"content": [{"type": "resource", "resource": {"uri": "f", "text": "words"}}]}, "words", False),
        ({"content": [{"type": "resource", "resource": {"uri": "f"}}]}, "(a file: f)", False),
        ({"content": ["loose"]}, "loose", False),
        ({"content": "plain"}, "plain", False),
        ({"content": [], "structuredContent": {"volume": 5}}, '{"volume": 5}', False),
        ({"volume": 5, "isError": False}, '{"volume": 5}', False),
        ({}, "", False),
        ("done", "done", False),
        (True, "true", False),
        (None, "null", False),
    ],
)
def test_what_a_tool_gave_back(value, text, failed):
    assert read_result(value) == (text, failed)


def test_a_result_without_end_is_cut_off():
    text, _ = read_result({"content": [{"type": "text", "text": "x" * 10**6}]})
    assert len(text) < MAX_RESULT_CHARS + 20
    assert text.endswith("(cut off)")
