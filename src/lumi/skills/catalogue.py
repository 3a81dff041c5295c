"""The intents' files: sentence templates, responses and examples of one language, as package data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml
from hassil import Intents

from lumi.engines.base import Language

FILES = (
    "clock", "sums", "units", "timers", "reminders", "chance", "lists", "stories", "smalltalk", "help", "services",
)  # fmt: skip
"""One per skill, in the order of the documentation."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All intents of one language."""

    language: Language
    intents: Intents
    responses: Mapping[str, str | Sequence[str]]
    topics: tuple[Topic, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """What one file is about, and what can be asked, for help and documentation."""

    name: str
    title: str
    examples: tuple[str, ...]
    answered: str


def read_yaml(*path: str) -> Any:
    """A YAML file of this package."""
    source = resources.files(__package__).joinpath(*path).read_text("utf-8")
    # The C loader reads ten times as fast
    return yaml.load(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 -- both are safe


def load(language: Language) -> Catalogue:
    """Read and parse one language's files; some 0.1 s of work, so done once and early."""
    whole: dict[str, Any] = {
        "language": language,
        "settings": {"ignore_whitespace": language == "zh"},
        "intents": {},
        "lists": {},
        "expansion_rules": {},
    }
    responses: dict[str, str | Sequence[str]] = {}
    topics = []
    for name in FILES:
        content = read_yaml("intents", language, f"{name}.yaml")
        for intent, data in content["intents"].items():
            whole["intents"][intent] = {"data": data}
        whole["lists"] |= {slot: {"wildcard": True} for slot in content.get("wildcards", ())}
        whole["lists"] |= content.get("lists", {})
        whole["expansion_rules"] |= content.get("rules", {})
        responses |= {f"{name}.{key}": text for key, text in content["responses"].items()}
        topics.append(Topic(name, content["title"], tuple(content["examples"]), content["answered"]))
    return Catalogue(language, Intents.from_dict(whole), responses, tuple(topics))
