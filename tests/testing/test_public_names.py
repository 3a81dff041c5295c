from __future__ import annotations

import subprocess
import sys

import pytest

import lumi.testing


def test_public_names_are_there_and_sorted() -> None:
    assert all(hasattr(lumi.testing, name) for name in lumi.testing.__all__)


@pytest.mark.real
def test_importing_it_loads_no_server_and_no_model_runtime() -> None:
    program = (
        "import sys, lumi.testing; "
        "print([m for m in ('aiohttp', 'onnxruntime', 'numpy', 'lumi.server.app', 'pytest') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "src"},
        timeout=60,
    )
    assert done.stdout.strip() == "[]"
