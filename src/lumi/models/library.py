"""The models that are here: each a folder of its name below `models/` in the data directory, with a note of what came.

A folder appears under its name only when it is complete; what is being fetched lies in `models/.fetching/`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from lumi.errors import ModelError

NOTE = "lumi-model.json"
FETCHING = ".fetching"
SEEN = ".seen.json"


class Kept(msgspec.Struct, frozen=True):
    """One file that came."""

    url: str
    size_bytes: int
    sha256: str
    vouched: bool
    """The catalogue had said this hash beforehand; else it was trusted because it came first."""


class Installed(msgspec.Struct, frozen=True):
    """A model that is here."""

    name: str
    engine: str
    kind: str
    languages: tuple[str, ...]
    files: tuple[Kept, ...]


class Library:
    """What is installed below `root`, which need not exist."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, name: str) -> Path:
        return self.root / name

    def workplace(self, name: str) -> Path:
        """Where it is put together."""
        return self.root / FETCHING / name

    def installed(self) -> tuple[Installed, ...]:
        """All that are here, by name."""
        found = [self.find(note.parent.name) for note in sorted(self.root.glob(f"[!.]*/{NOTE}"))]
        return tuple(model for model in found if model is not None)

    def find(self, name: str) -> Installed | None:
        try:
            return msgspec.json.decode((self.folder(name) / NOTE).read_bytes(), type=Installed)
        except (OSError, msgspec.DecodeError):
            return None

    def complete(self, model: Installed) -> Path:
        """Give what was put together its name."""
        workplace, folder = self.workplace(model.name), self.folder(model.name)
        (workplace / NOTE).write_bytes(msgspec.json.format(msgspec.json.encode(model)))
        self._remember(model)
        if folder.exists():
            shutil.rmtree(folder)
        workplace.rename(folder)
        return folder

    def remove(self, name: str) -> int:
        """Take it away, half-fetched or whole; returns how many bytes that frees.

        Raises:
            ModelError: there is none of this name.
        """
        inside = bool(name) and Path(name).name == name and not name.startswith(".")
        folders = [path for path in (self.folder(name), self.workplace(name)) if inside and path.is_dir()]
        if not folders:
            there = ", ".join(model.name for model in self.installed()) or "none"
            raise ModelError(f"there is no model '{name}' here; there are: {there}")
        freed = sum(file.stat().st_size for path in folders for file in path.rglob("*") if file.is_file())
        for path in folders:
            shutil.rmtree(path)
        return freed

    def seen(self) -> Mapping[str, str]:
        """SHA-256 by URL of all that ever came here, models since removed included."""
        try:
            return msgspec.json.decode((self.root / SEEN).read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            return {}

    def _remember(self, model: Installed) -> None:
        seen = dict(self.seen()) | {file.url: file.sha256 for file in model.files}
        (self.root / SEEN).write_bytes(msgspec.json.format(msgspec.json.encode(seen)))
