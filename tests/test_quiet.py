"""Lumi contacts nobody it was not told to: shown where nobody can be reached and every attempt is counted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.empty_network import run_in_empty_network, way_in

pytestmark = pytest.mark.real

LOUD = """
import contextlib, socket
with contextlib.suppress(OSError):
    socket.getaddrinfo("telemetry.example.com", 443)
with contextlib.suppress(OSError), socket.socket() as caller:
    caller.settimeout(0.3)
    caller.connect(("198.51.100.7", 443))
"""

RESOLVER = Path(__file__).parent / "recording_resolver"


def calls_recorded(folder: Path, *program: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run a program with Python's own lookups and connections written down."""
    calls = folder / "calls.txt"
    calls.touch()
    environment = {**os.environ, "PYTHONPATH": str(RESOLVER), "RECORDED_CALLS": str(calls)}
    done = subprocess.run(
        program,
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        stdin=subprocess.DEVNULL,
        timeout=100,
    )
    return done, calls.read_text(encoding="utf-8").split()


needs_namespaces = pytest.mark.skipif(
    way_in() is None, reason="an empty network needs root (or user namespaces), unshare and ip"
)


@needs_namespaces
def test_whoever_calls_out_is_seen() -> None:
    calls = run_in_empty_network(sys.executable, "-c", LOUD)
    assert calls.exit_code == 0
    assert "telemetry.example.com" in calls.names
    assert calls.packets > 0


@needs_namespaces
@pytest.mark.timeout(180)
def test_the_demo_contacts_nobody(tmp_path: Path) -> None:
    calls = run_in_empty_network(
        sys.executable, "-m", "lumi.demo", "--brief", "--out", str(tmp_path / "demo")
    )
    assert calls.exit_code == 0, calls.output
    assert calls.names == []
    assert calls.packets == 0
    assert "what time is it" in calls.output


def test_whoever_calls_out_is_recorded(tmp_path: Path) -> None:
    done, calls = calls_recorded(tmp_path, sys.executable, "-c", LOUD)
    assert done.returncode == 0, done.stderr
    assert calls == ["telemetry.example.com", "198.51.100.7"]


@pytest.mark.timeout(180)
@pytest.mark.skipif(way_in() is not None, reason="the test in an empty network sees more")
def test_the_demo_looks_nobody_up(tmp_path: Path) -> None:
    done, calls = calls_recorded(
        tmp_path, sys.executable, "-m", "lumi.demo", "--brief", "--out", str(tmp_path / "demo")
    )
    assert done.returncode == 0, done.stderr
    assert calls == []
    assert "what time is it" in done.stdout
