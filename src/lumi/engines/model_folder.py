"""What an engine looks for in a model's folder, and what it says where that is not there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from lumi.errors import EngineUnavailable


def need_package(engine: str, package: str) -> None:
    """Raises `EngineUnavailable` where the engine's extra is not installed."""
    if importlib.util.find_spec(package) is None:
        raise EngineUnavailable(
            engine, f"is not installed; install it with: pip install 'lumi-assistant[{engine}]'"
        )


def model_folder(engine: str, model: str, suggestion: str) -> Path:
    """The folder of a model.

    Args:
        engine: its name, for errors and extras.
        model: a path.
        suggestion: a model of the catalogue that would do.

    Raises:
        EngineUnavailable: none is named, or there is nothing at that place; says how to get one.
    """
    mend = f"fetch one with: lumi models add {suggestion}, and name it in the setting model"
    if not model:
        raise EngineUnavailable(engine, f"has no model; {mend}")
    folder = Path(model).expanduser()
    if not folder.is_dir():
        raise EngineUnavailable(engine, f"{folder} is no folder with a model; {mend}")
    return folder


def first(folder: Path, *patterns: str) -> str:
    """The path of the first file that fits the first pattern that any fits; empty where none does."""
    for pattern in patterns:
        found = sorted(folder.glob(pattern))
        if found:
            return str(found[0])
    return ""


def all_of(folder: Path, *patterns: str) -> str:
    """All files that fit, separated by commas, as sherpa-onnx takes them."""
    return ",".join(str(path) for pattern in patterns for path in sorted(folder.glob(pattern)))
