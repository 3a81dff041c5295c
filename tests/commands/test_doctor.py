from __future__ import annotations

import pytest
from tests.commands.screen import AS_JSON, ENGLISH, Screen

from lumi.commands import doctor as module
from lumi.commands.console import Console
from lumi.commands.doctor import EXAMINATIONS, doctor
from lumi.commands.examinations import Finding
from lumi.errors import OpusUnavailable


async def well(_console: Console) -> Finding:
    return Finding("ok", "fine")


async def noted(_console: Console) -> Finding:
    return Finding("note", "no microphone", "plug one in")


async def broken(_console: Console) -> Finding:
    raise OpusUnavailable("no Opus: install libopus")


def test_everything_is_examined():
    assert list(EXAMINATIONS) == [
        "python",
        "settings",
        "store",
        "port",
        "opus",
        "vad",
        "stt",
        "llm",
        "tts",
        "duplex",
        "models",
        "microphone",
    ]


async def test_a_healthy_machine(screen: Screen, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "EXAMINATIONS", {"opus": well, "microphone": noted})
    assert await doctor(ENGLISH) == 0
    assert screen.read() == (
        "✓ opus        fine\n• microphone  no microphone → plug one in\n",
        "",
    )


async def test_what_is_missing_makes_the_exit_code_one(screen: Screen, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "EXAMINATIONS", {"python": well, "opus": broken})
    assert await doctor(AS_JSON) == 1
    assert screen.object() == {
        "ok": False,
        "checks": [
            {"name": "python", "verdict": "ok", "found": "fine", "mend": ""},
            {"name": "opus", "verdict": "missing", "found": "no Opus: install libopus", "mend": ""},
        ],
    }
