"""The settings, described for people: in error messages, and as `docs/configuration.md`.

`python -m lumi.config docs/configuration.md` writes the page anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from lumi.config.settings import Config

HEAD = """# Configuration

Made from the settings themselves by `python -m lumi.config docs/configuration.md`.

Nothing has to be set. Of a flag, the environment, the file and the default, the first that says something wins.

- **File**: `lumi.toml` in the current directory, or the one named by `--config` or `LUMI_CONFIG`. Each section below
  is a table: `[server]`, then `port = 8001`.
- **Environment**: `LUMI_<SECTION>__<KEY>`, e.g. `LUMI_SERVER__PORT=8001`; in short `LUMI_HOST`, `LUMI_PORT`,
  `LUMI_DATA_DIR`. A list is written with commas. What an engine takes: `LUMI_STT__OPTIONS__<KEY>`, its value written
  as in the file (`3`, `true`), text also without quotes.
- **Flags**: `--host`, `--port`, `--data-dir`, `--log-level`.

A wrong setting is named and refused, and the server does not start.
"""

WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "array": "a list of texts",
    "object": "a table",
}


@cache
def _schema() -> Mapping[str, Any]:
    return Config.model_json_schema()


def _section_schema(section: str) -> Mapping[str, Any]:
    reference = _schema()["properties"][section]["$ref"]
    found: Mapping[str, Any] = _schema()["$defs"][reference.rpartition("/")[2]]
    return found


def accepted(path: tuple[str, ...]) -> str:
    """What may be written for the setting `path` (section, key), in words; for a section: its keys."""
    section = _section_schema(path[0])
    if len(path) == 1:
        return f"a table with {', '.join(section['properties'])}"
    return _words(section["properties"][path[1]])


def _words(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:  # `X or nothing`: only X can be written
        return _words(next(one for one in schema["anyOf"] if one.get("type") != "null"))
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if schema.get("format") == "path":
        return "a path"
    words = WORDS[schema["type"]]
    if "pattern" in schema:
        words = f"text like {schema['default']}"
    return words + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    signs = {
        "minimum": "at least {}",
        "exclusiveMinimum": "above {}",
        "maximum": "at most {}",
        "exclusiveMaximum": "below {}",
        "minLength": "of at least {} characters",
    }
    said = [
        sign.format(f"{schema[key]:g}" if schema[key] < 1e6 else schema[key])
        for key, sign in signs.items()
        if key in schema
    ]
    if said == ["of at least 1 characters"]:
        return ", not empty"
    return (", " if said and not said[0].startswith("of") else " " if said else "") + ", ".join(said)


def _default(schema: Mapping[str, Any]) -> str:
    value = schema.get("default")
    if value in (None, "", [], {}):
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def markdown() -> str:
    """The whole page."""
    parts = [HEAD]
    for name in Config.model_fields:
        section = _section_schema(name)
        parts.append(
            f"\n## {name}\n\n{section['description']}\n\n| key | default | accepted | what it is |\n|---|---|---|---|\n"
        )
        for key, schema in section["properties"].items():
            parts.append(
                f"| `{name}.{key}` | {_default(schema)} | {_words(schema)} | {schema.get('description', '')} |\n"
            )
    return "".join(parts)
