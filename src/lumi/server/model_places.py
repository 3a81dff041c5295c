"""From a model's name in the settings to its folder, for engines that run here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lumi.errors import ConfigError, EngineUnavailable
from lumi.models.catalogue import Catalogue, Model, catalogue
from lumi.models.library import Installed, Library

FOLDER = "models"
"""Below the data directory."""


def with_model(
    kind: str,
    engine: str,
    arguments: Mapping[str, Any],
    data_dir: Path,
    entries: Catalogue | None = None,
) -> Mapping[str, Any]:
    """The arguments with a folder in place of a model's name, and with the languages that it knows.

    Engines that no model of the catalogue is for, and models given as a folder, are left as they are.

    Raises:
        EngineUnavailable: the model is in the catalogue and not here; says how to fetch it.
        ConfigError: it is neither, or is for another engine.
    """
    entries = catalogue() if entries is None else entries
    name = str(arguments.get("model", ""))
    if not name or engine not in {model.engine for model in entries.values()}:
        return arguments
    library = Library(data_dir / FOLDER)
    installed = library.find(name)
    if installed is not None:
        _check(kind, engine, installed)
        known = {"languages": installed.languages}
        return {**known, **arguments, "model": str(library.folder(name))}
    if name in entries:
        _check(kind, engine, entries[name])
        raise EngineUnavailable(
            engine, f"the model '{name}' is not here; fetch it with: lumi models add {name}"
        )
    if not Path(name).expanduser().is_dir():
        raise ConfigError(
            f"{kind}.model",
            f"'{name}' is neither a folder nor a model that Lumi knows; lumi models list shows those",
        )
    return arguments


def _check(kind: str, engine: str, model: Installed | Model) -> None:
    if (model.kind, model.engine) != (kind, engine):
        raise ConfigError(
            f"{kind}.model",
            f'\'{model.name}\' is for {model.kind}.engine = "{model.engine}", not for {kind}.engine = "{engine}"',
        )
