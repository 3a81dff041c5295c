from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.commands.screen import AS_JSON, CHINESE, ENGLISH, Screen

from lumi.commands import init as module
from lumi.commands.detection import Found, ModelServer, VoiceServer
from lumi.commands.init import InitOptions, init
from lumi.config import read
from lumi.errors import ConfigError

OLLAMA = ModelServer("Ollama", "http://127.0.0.1:11434/v1", ("llama3", "qwen"))
PIPER = VoiceServer("piper", "tcp://192.0.2.1:10200")


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is found; nothing, unless a test puts something in."""
    things: dict[str, Any] = {}

    async def detect(environ: Mapping[str, str]) -> Found:
        return Found(**things)

    monkeypatch.setattr(module, "detect", detect)
    return things


async def typed(*lines: str) -> AsyncIterator[str]:
    for line in lines:
        yield line


def set_in(file: Path, **environ: str) -> dict[str, Any]:
    return {".".join(path): given.value for path, given in read(file, environ=environ).origin.items()}


async def test_without_questions_a_model_on_this_machine_is_taken(there, tmp_path: Path, screen: Screen):
    there |= {"models": (OLLAMA,), "voices": (PIPER,), "openai_key": True}
    file = tmp_path / "lumi.toml"
    assert await init(ENGLISH, InitOptions(file, yes=True)) == 0
    assert set_in(file) == {"llm.engine": "openai", "llm.base_url": OLLAMA.base_url, "llm.model": "llama3"}
    out, err = screen.read()
    assert "llm.model = llama3" in out
    assert f"Next: lumi serve --config {file}" in err


async def test_where_nothing_is_found_everything_stays_as_it_is(there, tmp_path: Path, screen: Screen):
    there |= {"openai_key": True}
    assert await init(CHINESE, InitOptions(tmp_path / "x.toml", yes=True)) == 0
    assert set_in(tmp_path / "x.toml") == {"locale.language": "zh", "locale.locale": "zh_CN"}
    assert "下一步" in screen.read()[1]


async def test_a_person_chooses(there, tmp_path: Path, screen: Screen):
    there |= {"models": (OLLAMA,), "voices": (PIPER,), "openai_key": True}
    file = tmp_path / "lumi.toml"
    await init(ENGLISH, InitOptions(file), typed("nine", "7", "2", "", "2", "2"))
    said = set_in(file)
    token = said.pop("server.token")
    assert said == {
        "llm.engine": "openai",
        "llm.base_url": OLLAMA.base_url,
        "llm.model": "qwen",
        "tts.engine": "wyoming",
        "tts.base_url": PIPER.url,
        "server.host": "0.0.0.0",
    }
    assert len(token) >= 20
    assert file.stat().st_mode & 0o777 == 0o600
    out, err = screen.read()
    assert token not in out + err
    assert err.count("give a number from 1 to 4") == 2


async def test_a_key_is_written_by_its_name_alone(there, tmp_path: Path):
    there |= {"openai_key": True}
    file = tmp_path / "lumi.toml"
    await init(ENGLISH, InitOptions(file, environ={"OPENAI_API_KEY": "sk-9"}), typed("2"))
    assert "sk-9" not in file.read_text()
    assert set_in(file, OPENAI_API_KEY="sk-9") == {
        "llm.engine": "openai",
        "llm.api_key": "env:OPENAI_API_KEY",
    }


async def test_a_file_that_is_there_is_left_alone_unless_asked(there, tmp_path: Path, screen: Screen):
    file = tmp_path / "lumi.toml"
    file.write_text("# mine\n")
    with pytest.raises(ConfigError, match="is there already; --force"):
        await init(ENGLISH, InitOptions(file, yes=True))
    assert file.read_text() == "# mine\n"
    await init(AS_JSON, InitOptions(file, yes=True, force=True))
    assert screen.object() == {"file": str(file), "chosen": {}}
    assert "[server]" in file.read_text()


async def test_a_place_that_cannot_be_written_is_named(there, tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be written"):
        await init(ENGLISH, InitOptions(tmp_path / "none" / "lumi.toml", yes=True))
