"""From nothing to an answer of a model of one's own: `lumi init`, `lumi serve`, `lumi chat`; no file is edited by hand."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lumi.config import load

pytestmark = pytest.mark.real

QUESTION, ANSWER = "Where do foxes live?", "Foxes live in dens, mostly at the edge of a wood."


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


@contextmanager
def running(*command: str, environ: dict[str, str], folder: Path, until: str) -> Iterator[str]:
    """A process that has said `until`; gives that line."""
    with subprocess.Popen(
        [sys.executable, *command],
        env=environ,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            while until not in (line := process.stdout.readline()):
                assert line, f"{command} ended"
            yield line.strip()
        finally:
            process.terminate()  # SIGINT is ignored by what a shell started in the background
            process.communicate(timeout=20)


def lumi(*arguments: str, environ: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "lumi", *arguments],
        env=environ,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_model_on_this_machine_answers_without_an_edit(tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_text(json.dumps({QUESTION: ANSWER}))
    told = {name: value for name, value in os.environ.items() if not name.startswith(("LUMI_", "OPENAI_"))}
    told |= {"LUMI_PORT": free_port(), "LUMI_DATA_DIR": str(tmp_path / "data"), "LANG": "C.UTF-8"}
    stand_in = (
        "-m",
        "lumi.testing.openai_server",
        "--ollama",
        "--model",
        "fox:1b",
        "--answers",
        "answers.json",
    )
    with running(*stand_in, environ=told, folder=tmp_path, until="http") as address:
        told["OLLAMA_HOST"] = address.removesuffix("/v1")
        made = lumi("init", "--yes", environ=told, folder=tmp_path)
        assert made.stderr.endswith("Wrote lumi.toml. Next: lumi serve\n")
        settings = load(tmp_path / "lumi.toml", environ={}).llm
        assert (settings.engine, settings.base_url, settings.model) == ("openai", address, "fox:1b")
        with running("-m", "lumi", "serve", environ=told, folder=tmp_path, until="is ready"):
            answer = lumi("chat", "--once", QUESTION, environ=told, folder=tmp_path)
        assert answer.stdout.strip() == ANSWER
