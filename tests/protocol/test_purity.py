"""The protocol does no I/O, keeps no time and logs nothing: it does not even load what could."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

BANNED = {
    "asyncio",
    "time",
    "logging",
    "socket",
    "ssl",
    "selectors",
    "threading",
    "subprocess",
    "aiohttp",
    "structlog",
    "uvloop",
    "numpy",
    "onnxruntime",
    "soxr",
}
MODULES = "codec connection dialect faults fields frames handshake messages reference state stream_management"


def loaded(*imports: str) -> set[str]:
    """Modules that an interpreter has after these imports."""
    program = f"import sys, json, {', '.join(imports)}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


@pytest.mark.real
def test_the_protocol_loads_nothing_that_waits_tells_time_or_logs():
    ours = loaded(*(f"lumi.protocol.{name}" for name in MODULES.split()))
    without = loaded("msgspec", "msgspec.json", "msgspec.structs", "dataclasses")
    assert (ours - without) & BANNED == set()


@pytest.mark.real
def test_the_protocol_loads_no_other_room_but_the_ones_below():
    rooms = {name.split(".")[1] for name in loaded("lumi.protocol.connection") if name.startswith("lumi.")}
    assert rooms == {"_version", "audio", "errors", "protocol"}
