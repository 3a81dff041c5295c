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

Nothing has to be set. Of a flag, the environment, the chosen profile, the file and the default, the first that says
something wins.

- **Flags**: `--host`, `--port`, `--data-dir`, `--open`, `--log-level`; `--config` names the file, `--profile` a profile.
- **Environment**: `LUMI_<SECTION>__<KEY>`, e.g. `LUMI_SERVER__PORT=8001`; in short `LUMI_HOST`, `LUMI_PORT`,
  `LUMI_DATA_DIR`. A list is written with commas. What an engine takes: `LUMI_STT__OPTIONS__<KEY>`, its value written
  as in the file (`3`, `true`), text also without quotes. `NAME` below is a name of your own: `[engines.spare]`, or
  `LUMI_ENGINES__SPARE__ENGINE`.
- **Profile**: a table `[profiles.NAME]` in the file holds any settings, which stand above the file's own while it is
  chosen: `[profiles.away.llm]`, then `engine = "skills"`. It is chosen by `--profile NAME`, else by `LUMI_PROFILE`, else
  by `profile = "NAME"` in the first lines of the file.
- **File**: `lumi.toml` in the current directory, or the one named by `--config` or `LUMI_CONFIG`. Each section below
  is a table: `[server]`, then `port = 8001`.
- **Secrets** (*a secret* below) may stand elsewhere: `api_key = "file:/run/secrets/key"` reads it from a file, without
  the end of its line, `api_key = "env:OPENAI_API_KEY"` from the environment; a relative path begins where the settings
  file is. No command, log or page shows a secret, and a file that every user of the machine can read is warned of.

A wrong setting is named and refused, and the server does not start.

`lumi reload`, or SIGHUP, has a running server read all this anew. Engines (`stt`, `llm`, `tts`, `duplex`, `vision`,
`engines`), prompts, voices, tools (`tools`, `mcp`, `home_assistant`), `devices`, `turn`, `locale`, `retention` and the levels
of `log` hold from the next turn or session on, `clients` from the next hello; conversations and running answers go on. What
stayed as it was is kept, models and connections too. Of a changed engine or tool server the old one is closed after the
last turn that has it. Other changed settings are named: they need a restart (`server`, `wyoming`, `store.engine`, `vad.engine`,
`models`, and most of `audio`, `limits` and `log`). A wrong setting changes nothing.
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


def _schema_at(path: tuple[str, ...]) -> Mapping[str, Any]:
    """What stands at a path; beyond the tables that people name and what engines take, their own."""
    node = _schema()
    for key in path:
        if "properties" not in node:  # a name that somebody chose
            node = _resolved(node["additionalProperties"])
        else:
            node = _resolved(node["properties"][key])
        if node.get("additionalProperties") is True:
            break
    return node


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in node:
        return node
    found: Mapping[str, Any] = _schema()["$defs"][node["$ref"].rpartition("/")[2]]
    return found


def accepted(path: tuple[str, ...]) -> str:
    """What may be written at `path`, in words; for a table: its keys."""
    return _words(_schema_at(path))


def described(path: tuple[str, ...]) -> str:
    """What the setting at `path` is for, or what stands under each name; empty where nothing is said of it."""
    if not path:
        return ""
    node = _schema_at(path)
    each = node.get("additionalProperties")
    said = node.get("description") or (
        _resolved(each).get("description", "") if isinstance(each, dict) else ""
    )
    return " ".join(said.split())


def _words(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:  # `X or nothing`: only X can be written
        return _words(next(one for one in schema["anyOf"] if one.get("type") != "null"))
    if "properties" in schema:
        return f"a table with {', '.join(schema['properties'])}"
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema.get("format") == "path":
        return "a path"
    if schema.get("format") == "password":
        return "a secret" + _bounds(schema)
    words = WORDS[schema["type"]]
    if "pattern" in schema:
        words = f"text like {schema['examples'][0]}"
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
    return HEAD + "".join(_section(name) for name in Config.model_fields)


def properties(name: str) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """Where the table of a section stands, `NAME` being anybody's choice, and its schema."""
    schema = _schema_at((name,))
    if "properties" in schema:
        return (name,), schema
    return (name, "NAME"), _resolved(schema["additionalProperties"])


def _section(name: str) -> str:
    path, schema = properties(name)
    above = ".".join(path)
    rows = [
        f"| `{above}.{key}` | {_default(one)} | {_words(one)} | {one.get('description', '')} |\n"
        for key, one in schema["properties"].items()
    ]
    head = f"\n## {above}\n\n{schema['description']}\n\n| key | default | accepted | what it is |\n|---|---|---|---|\n"
    return head + "".join(rows)
