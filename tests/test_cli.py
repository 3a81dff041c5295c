"""The command line in a process of its own: exit codes, what goes where, no traceback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lumi._version import __version__
from lumi.audio.wav import read_wav, write_wav
from lumi.demo import record_command

pytestmark = pytest.mark.real


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LUMI_", "LC_", "LANG"))
    }
    return kept | {"HOME": str(tmp_path), "LUMI_DATA_DIR": str(tmp_path / "data"), "LANG": "C.UTF-8"} | more


def lumi(tmp_path: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `lumi` with nothing on standard input."""
    return subprocess.run(
        [sys.executable, "-m", "lumi", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        cwd=tmp_path,
        env=environment(tmp_path, **more),
        timeout=50,
        check=False,
    )


def dead_url() -> str:
    """Where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"ws://127.0.0.1:{probe.getsockname()[1]}/"


def test_the_version(tmp_path: Path):
    done = lumi(tmp_path, "--version")
    assert (done.returncode, done.stdout) == (0, f"lumi {__version__}\n")


@pytest.mark.parametrize(
    "command", [[], ["serve"], ["chat"], ["say"], ["talk"], ["find"], ["doctor"], ["bench"]]
)
def test_every_command_explains_itself(tmp_path: Path, command):
    done = lumi(tmp_path, *command, "--help")
    assert done.returncode == 0
    assert "Usage: lumi" in done.stdout


def check_one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_an_unreachable_server(tmp_path: Path):
    done = lumi(tmp_path, "chat", "--once", "hi", "--url", dead_url())
    check_one_line(done, "connection failed: nothing listens at 127.0.0.1:", "start the server there")
    assert done.stdout == ""


def test_an_unreachable_server_in_chinese(tmp_path: Path):
    done = lumi(tmp_path, "chat", "--once", "hi", "--url", dead_url(), LANG="zh_CN.UTF-8")
    check_one_line(done, "连接失败", "lumi serve")


def test_an_address_that_is_none(tmp_path: Path):
    check_one_line(
        lumi(tmp_path, "chat", "--once", "hi", "--url", "nonsense"), "nonsense", "ws://127.0.0.1:8000/"
    )


def test_a_failure_in_json_is_one_object(tmp_path: Path):
    done = lumi(tmp_path, "chat", "--once", "hi", "--json", "--url", dead_url())
    assert done.returncode == 2
    failure = json.loads(done.stdout)
    assert failure["error"] == "ConnectFailed"
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read"),
        (b"no sound at all", "not a WAV file"),
        (b"RIFF\x04\0\0\0WAVE", "damaged or cut off"),
    ],
)
def test_an_unreadable_recording(tmp_path: Path, content, problem):
    wav = tmp_path / "question.wav"
    if content is not None:
        wav.write_bytes(content)
    check_one_line(lumi(tmp_path, "say", "--wav", str(wav)), "question.wav", problem)


def test_a_language_that_is_not_known(tmp_path: Path):
    done = lumi(tmp_path, "say", "--wav", "x.wav", "--language", "fr")
    assert done.returncode == 2
    assert "accepted: zh, en" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_settings(tmp_path: Path):
    check_one_line(lumi(tmp_path, "serve", "--port", "http"), "--port", "'http' will not do")
    check_one_line(lumi(tmp_path, "serve", LUMI_PROT="1"), "LUMI_PROT", "did you mean LUMI_PORT?")
    check_one_line(lumi(tmp_path, "serve", "--host", "0.0.0.0"), "--host", "token")
    check_one_line(lumi(tmp_path, "serve", "--config", "none.toml"), "none.toml", "cannot be read")
    check_one_line(lumi(tmp_path, "chat", "--once", "hi", LUMI_PORT="http"), "LUMI_PORT")


def test_a_port_in_use(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        check_one_line(lumi(tmp_path, "serve", "--port", port), port)


def test_a_machine_without_a_microphone(tmp_path: Path):
    done = lumi(tmp_path, "talk")
    if done.returncode == 0:
        pytest.skip("this machine has a microphone")
    check_one_line(done, "microphone")


def test_json_needs_a_question(tmp_path: Path):
    assert json.loads(lumi(tmp_path, "chat", "--json").stdout)["error"] == "ConfigError"


async def test_ctrl_c_ends_without_a_word(tmp_path: Path):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        while await reader.read(1024):
            pass
        writer.close()
        left.set()

    connected, left = asyncio.Event(), asyncio.Event()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lumi", "chat", "--once", "hi", "--url", f"ws://127.0.0.1:{port}/",
        env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    await connected.wait()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    await left.wait()
    server.close()
    await server.wait_closed()
    assert (process.returncode, out, err) == (130, b"", b"")


def test_a_silent_recording_is_told(tmp_path: Path):
    write_wav(tmp_path / "empty.wav", b"", 16_000)
    check_one_line(lumi(tmp_path, "say", "--wav", "empty.wav"), "no sound in it")


def free_port() -> str:
    return dead_url().rstrip("/").rsplit(":", 1)[1]


@pytest.mark.parametrize(
    ("question", "answer"), [("what is 17 times 23", "391"), ("17乘以23等于多少", "391")]
)
def test_without_a_server_a_question_is_answered_by_one_of_its_own(tmp_path: Path, question, answer):
    done = lumi(tmp_path, "chat", "--once", question, "--json", LUMI_PORT=free_port())
    assert done.returncode == 0, done.stderr
    reply = json.loads(done.stdout)
    assert set(reply) == {"id", "content", "session_id", "ms"}
    assert answer in reply["content"]
    assert "starting one in this process" in done.stderr


def test_without_a_server_a_recording_is_answered_by_one_of_its_own(tmp_path: Path):
    sound = asyncio.run(record_command())
    write_wav(tmp_path / "question.wav", sound.pcm, sound.rate_hz)
    arguments = ("say", "--wav", "question.wav", "--out", "reply.wav", "--json", "--language", "en")
    done = lumi(tmp_path, *arguments, LUMI_PORT=free_port())
    assert done.returncode == 0, done.stderr
    reply = json.loads(done.stdout)
    assert reply["transcript"] == "what time is it"
    assert 0.5 < reply["confidence"] <= 1
    assert reply["reply"]
    assert reply["first_audio_ms"] > 0
    assert reply["out"] == "reply.wav"
    answer = read_wav(tmp_path / "reply.wav")
    assert answer.duration_s == pytest.approx(reply["audio_s"], abs=0.001)
    assert answer.duration_s > 0.5
