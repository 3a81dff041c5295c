"""The models that `lumi models` knows: what each is for, where its files are, and what is known of them.

The entries stand in `catalogue.toml`. A size or hash stands there only where it was really found; without a hash the
first download is trusted, and what came is written down.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from lumi.errors import ModelError

HUB = "https://huggingface.co"


class ModelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file to fetch."""

    url: str
    path: str = ""
    """Where it lies in the model's folder; empty for an archive, whose content goes there."""
    size_bytes: int | None = None
    sha256: str = ""
    """In hexadecimal digits; empty where nobody told us."""

    @property
    def is_archive(self) -> bool:
        return not self.path

    @property
    def name(self) -> str:
        """What it is called while it is fetched."""
        return self.path or self.url.rsplit("/", 1)[-1]


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry."""

    engine: str
    """The engine that uses it: a name in the registry."""
    kind: Literal["stt", "tts"]
    languages: tuple[str, ...]
    megabytes: int
    """About; of all files together."""
    licence: str
    page: str
    """Where people read about it."""
    about: str
    about_zh: str
    files: tuple[ModelFile, ...]
    name: str = ""


Catalogue = Mapping[str, Model]


@cache
def catalogue() -> Catalogue:
    """The entries, by name."""
    text = resources.files("lumi.models").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return parsed(text)


def parsed(text: str) -> Catalogue:
    """The entries of a catalogue in TOML."""
    entries = msgspec.convert(tomllib.loads(text), dict[str, Model])
    return {name: msgspec.structs.replace(model, name=name) for name, model in entries.items()}


def find(name: str, entries: Catalogue) -> Model:
    """Raises `ModelError` where there is none of this name; says which there are."""
    model = entries.get(name)
    if model is None:
        known = ", ".join(sorted(entries))
        raise ModelError(f"there is no model '{name}' in the catalogue; there are: {known}")
    return model


def from_hub(url: str, hub: str) -> str:
    """The address of a file on another hub with the same layout, for networks that do not reach the usual one."""
    return hub.rstrip("/") + url.removeprefix(HUB) if url.startswith(f"{HUB}/") else url
