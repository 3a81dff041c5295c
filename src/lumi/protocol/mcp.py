"""What MCP says inside its JSON-RPC, as far as devices speak it: opening, lists of tools, what a tool gave back.

Lists and results are read leniently and within bounds: one tool that makes no sense is left out, not the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lumi.protocol.json_rpc import Json

MCP_VERSION = "2024-11-05"
"""The one that devices in the field know."""

MAX_NAME_CHARS = 128
MAX_DESCRIPTION_CHARS = 2_000
MAX_SCHEMA_CHARS = 16_000
MAX_RESULT_CHARS = 16_000
ANY_ARGUMENTS: Json = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class VisionAccess:
    """Where a board with a camera sends its pictures, and what it must show there."""

    url: str
    token: str


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as its device describes it. `schema` is the JSON Schema of its arguments."""

    name: str
    description: str = ""
    schema: Json = field(default_factory=lambda: ANY_ARGUMENTS)


@dataclass(frozen=True, slots=True)
class ToolPage:
    """A part of the list; an empty `next_cursor`: the last one."""

    tools: tuple[ListedTool, ...]
    next_cursor: str = ""


def initialize(version: str, vision: VisionAccess | None) -> Json:
    """Parameters of `initialize`.

    Args:
        version: the server's.
        vision: for boards with a camera; None: this server does not look at pictures.
    """
    capabilities: Json = {"tools": {}}
    if vision is not None:
        capabilities["vision"] = {"url": vision.url, "token": vision.token}
    client = {"name": "lumi", "version": version}
    return {"protocolVersion": MCP_VERSION, "capabilities": capabilities, "clientInfo": client}


def read_page(value: Any) -> ToolPage:
    """The result of `tools/list`; tools that have no name, or a description without end, are left out."""
    if not isinstance(value, dict):
        return ToolPage(())
    listed = value.get("tools")
    tools = listed if isinstance(listed, list) else []
    cursor = value.get("nextCursor")
    found = (_tool(one) for one in tools)
    return ToolPage(
        tuple(tool for tool in found if tool is not None), cursor if isinstance(cursor, str) else ""
    )


def _tool(value: Any) -> ListedTool | None:
    if not isinstance(value, dict):
        return None
    name, description, schema = value.get("name"), value.get("description"), value.get("inputSchema")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_CHARS:
        return None
    if not isinstance(schema, dict):
        schema = ANY_ARGUMENTS
    if len(json.dumps(schema)) > MAX_SCHEMA_CHARS:
        return None
    told = description if isinstance(description, str) else ""
    return ListedTool(name, told[:MAX_DESCRIPTION_CHARS], {"type": "object"} | schema)


def read_result(value: Any) -> tuple[str, bool]:
    """The result of `tools/call`: what it says in words, and whether the tool failed."""
    if not isinstance(value, dict):
        return _shorten(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)), False
    content = value.get("content")
    if isinstance(content, str):
        text = content
    elif isinstance(content, list):
        text = "\n".join(_pieces(content))
    else:
        rest = {key: one for key, one in value.items() if key not in {"isError", "_meta"}}
        text = json.dumps(rest, ensure_ascii=False) if rest else ""
    if not text and value.get("structuredContent") is not None:
        text = json.dumps(value["structuredContent"], ensure_ascii=False)
    return _shorten(text), value.get("isError") is True


def _pieces(content: list[Any]) -> Iterator[str]:
    """Text as it is; of what a model cannot read here, what it is."""
    for piece in content:
        if not isinstance(piece, dict):
            yield str(piece)
        elif isinstance(piece.get("text"), str):
            yield piece["text"]
        elif isinstance(piece.get("resource"), dict):
            resource = piece["resource"]
            yield str(resource.get("text") or f"(a file: {resource.get('uri', 'without a name')})")
        else:
            kind = str(piece.get("type", "something"))
            yield f"({kind}: {piece.get('mimeType', 'of unknown type')}, {len(str(piece.get('data', '')))} characters)"


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_RESULT_CHARS else f"{text[:MAX_RESULT_CHARS]}… (cut off)"
