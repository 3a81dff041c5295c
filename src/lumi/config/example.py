"""A settings file to begin with: what was chosen is set, all else stands beside it as a comment with its default.

Made from the declarations. A line that begins with `#` and no space is a setting: without its `#` it holds.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from lumi.config.reference import accepted, properties
from lumi.config.settings import Config
from lumi.config.tree import Keys

NAME = "NAME"
WIDTH = 110

HEAD = """# Settings of Lumi. Every setting there is stands here; a line that begins with # and a letter is one that is not
# set: take its # away, and change it. What each accepts: docs/configuration.md; what holds: lumi config
# A secret may stand elsewhere: "file:/run/secrets/key", "env:OPENAI_API_KEY".
"""
TAIL = """
# Settings under another name, chosen by --profile away, LUMI_PROFILE=away or a first line: profile = "away"
#[profiles.away.llm]
#engine = "skills"
"""


def example(chosen: Mapping[Keys, Any]) -> str:
    """The text of a file in which `chosen` is set, and nothing else."""
    sections = (_section(name, chosen) for name in Config.model_fields)
    return HEAD + "".join(sections) + TAIL


def _section(name: str, chosen: Mapping[Keys, Any]) -> str:
    path, schema = properties(name)
    lines = ["", *_prose(schema.get("description", ""))]
    mark = "#" if NAME in path else ""
    lines.append(f"{mark}[{'.'.join(path)}]")
    for key, one in schema["properties"].items():
        lines += _setting((*path, key), one, chosen)
    return "\n".join(lines) + "\n"


def _setting(path: Keys, schema: Mapping[str, Any], chosen: Mapping[Keys, Any]) -> Iterator[str]:
    value = chosen[path] if path in chosen else _sample(path, schema)
    yield from _prose(f"{schema.get('description', '')} Accepted: {accepted(path)}.")
    yield f"{'' if path in chosen else '#'}{path[-1]} = {toml(value)}"


def _prose(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(" ".join(text.split()), WIDTH)]


def _sample(path: Keys, schema: Mapping[str, Any]) -> Any:
    """The default, or where there is none something that would be accepted."""
    default = schema.get("default")
    if default is not None:
        return default
    one = schema
    if "anyOf" in schema:
        one = next(kind for kind in schema["anyOf"] if kind.get("type") != "null")
    if examples := schema.get("examples") or one.get("examples"):
        return examples[0]
    if one.get("format") == "password":
        return "env:" + "_".join(("LUMI", *path[:1], *path[-1:])).upper()
    if one.get("format") == "path":
        return "~/lumi"
    if "enum" in one:
        return one["enum"][0]
    samples = {
        "string": "" if not one.get("minLength") else NAME,
        "integer": one.get("minimum", 1),
        "number": one.get("minimum", 1.0),
        "boolean": False,
        "array": [],
    }
    return samples.get(one.get("type", ""), {})


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(one) for one in value) + "]"
    if isinstance(value, str):  # JSON's escapes are TOML's, but for the one character it lets stand
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return json.dumps(value)
