"""`lumi reload` with a server in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.commands.screen import ENGLISH, Screen

from lumi.commands.reload import reload
from lumi.errors import ConfigError

pytestmark = pytest.mark.real


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    """A settings file whose server runs, ready."""
    file = tmp_path / "lumi.toml"
    file.write_text(f'[server]\nport = 0\ndrain_s = 0\ndata_dir = "{tmp_path / "data"}"\n')
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LUMI_")}
    command = [sys.executable, "-m", "lumi", "serve", "--config", str(file)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    ) as process:
        assert process.stdout is not None
        while "is ready" not in (line := process.stdout.readline()):
            assert line, process.communicate()
        try:
            yield file
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)


async def test_the_running_server_says_what_came_of_it(served: Path, tmp_path: Path, screen: Screen):
    text = served.read_text()  # noqa: ASYNC240 - nothing else goes on in this process
    rewrite(served, text + "[locale]\nlanguage = 'zh'\n")
    assert await reload(ENGLISH, served, None) == 0
    assert screen.read()[1] == "The settings were reloaded.\n"
    rewrite(served, text.replace("port = 0", "port = 1"))
    assert await reload(ENGLISH, served, None) == 0
    assert "These need a restart: server.port" in screen.read()[1]
    rewrite(served, "[llm]\nengin = 'x'\n")
    assert await reload(ENGLISH, served, tmp_path / "data") == 1
    assert "nothing has changed: llm.engin: no such setting" in screen.read()[1]


def rewrite(file: Path, text: str) -> None:
    file.write_text(text)


async def test_without_a_server_it_says_so(tmp_path: Path):
    with pytest.raises(ConfigError, match="no server is running with the data directory"):
        await reload(ENGLISH, None, tmp_path)
