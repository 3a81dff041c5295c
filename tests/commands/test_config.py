from __future__ import annotations

from pathlib import Path

import pytest
from tests.commands.screen import Screen

from lumi.commands.config import config
from lumi.commands.console import Console


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "lumi.toml"
    path.write_text('[llm]\napi_key = "sk-secret"\n[profiles.loud.tts]\nspeed = 2\n')
    path.chmod(0o644)
    return path


async def test_people_see_what_was_said_and_by_whom(file: Path, screen: Screen):
    assert await config(Console(), file, "loud") == 0
    out, err = screen.read()
    assert "tts.speed = 2.0  ← lumi.toml [profiles.loud]\n" in out
    assert 'llm.api_key = "***"  ← lumi.toml\n' in out
    assert "server.port = 8000\n" in out
    assert "server.data_dir = (not set)\n" in out
    assert "chmod 600" in err
    assert "sk-secret" not in out + err


async def test_programs_get_one_object(file: Path, screen: Screen):
    assert await config(Console(as_json=True), None, None) == 0
    shown = screen.object()
    assert (shown["file"], shown["profile"]) == (str(file), None)
    assert shown["settings"]["server.port"] == {"value": 8000, "from": "default"}
    assert shown["settings"]["llm.api_key"]["value"] == "***"
