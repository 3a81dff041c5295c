"""What the documents say holds: links lead somewhere, commands exist, code runs, generated pages are fresh."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

import lumi.bench.run
import lumi.cli
from lumi.audio.wav import write_wav
from lumi.config.reference import markdown as settings_reference
from lumi.demo import record_command
from lumi.protocol.reference import reference as protocol_reference

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
GENERATED = {"docs/configuration.md": settings_reference, "docs/protocol.md": protocol_reference}

SILENT_LANGUAGES = {"", "console", "text", "toml", "json", "python", "sh", "mermaid", "js", "html"}
"""Languages a block may be in; each is checked by a test below, or is plain text."""


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of code in a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def fenced(page: Path) -> Iterator[Block]:
    """Blocks between fences."""
    pattern = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
    text = page.read_text(encoding="utf-8")
    for match in pattern.finditer(text):
        yield Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2])


def indented(page: Path) -> Iterator[Block]:
    """Lines that are indented after an empty one: commands, in our pages."""
    text = re.sub(
        r"^ *```.*?^ *```$",
        lambda match: "\n" * match[0].count("\n"),
        page.read_text(encoding="utf-8"),
        flags=re.MULTILINE | re.DOTALL,
    )
    for match in re.finditer(r"(?<=\n\n)(?:    .*\n)+", text):
        yield Block(page, text.count("\n", 0, match.start()) + 1, "", match[0])


FENCED = [block for page in PAGES for block in fenced(page)]
INDENTED = [block for page in PAGES for block in indented(page)]


def command_lines() -> Iterator[tuple[str, str]]:
    """Every `make …` and `lumi …` that a page tells its reader to type, with its place."""
    for block in [*FENCED, *INDENTED]:
        for line in block.text.splitlines():
            command = line.strip().removeprefix("$ ").split("  #")[0]
            if re.match(r"(make|(\.venv/bin/)?lumi) ", command):
                yield str(block), command
    for page in PAGES:
        for match in re.finditer(r"`((?:make|lumi) [^`]+)`", page.read_text(encoding="utf-8")):
            yield str(page.relative_to(ROOT)), match[1]


COMMANDS = sorted(set(command_lines()))


def slug(heading: str) -> str:
    """The anchor a forge makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def test_links_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            if re.match(r"https?://|mailto:", target):
                continue
            name, _, anchor = target.partition("#")
            linked = (page.parent / name).resolve() if name else page
            if not linked.exists() or (anchor and anchor not in anchors(linked)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken


@pytest.mark.parametrize("page", GENERATED)
def test_generated_pages_are_fresh(page: str) -> None:
    assert (ROOT / page).read_text(encoding="utf-8") == GENERATED[page](), "run: make docs"


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    assert not [str(block) for block in FENCED if block.language not in SILENT_LANGUAGES]


def test_json_and_toml_blocks_are_well_formed() -> None:
    for block in FENCED:
        if block.language == "json":
            json.loads(block.text)
        elif block.language == "toml":
            tomllib.loads(block.text)


def test_make_targets_exist() -> None:
    targets = set(
        re.findall(r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    named = {
        (place, word)
        for place, command in COMMANDS
        if command.startswith("make ")
        for word in command.split()[1:2]
    }
    assert {"serve", "test", "demo", "bench", "clean"} <= targets
    assert not [(place, word) for place, word in named if "=" not in word and word not in targets]


def test_lumi_commands_and_their_options_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    group = typer.main.get_command(lumi.cli.app)
    assert isinstance(group, TyperGroup)
    for place, command in COMMANDS:
        _, name, *arguments = shlex.split(command)
        if command.startswith("make "):
            continue
        found = group.commands.get(name)
        assert found is not None, f"{place}: there is no `lumi {name}`"
        if arguments:
            assert parses(BENCH if name == "bench" else found, arguments), f"{place}: {command}"


def bench_command() -> TyperCommand:
    application = typer.Typer()
    application.command()(lumi.bench.run.command)
    command = typer.main.get_command(application)
    assert isinstance(command, TyperCommand)
    return command


BENCH = bench_command()


def parses(command: object, arguments: list[str]) -> bool:
    try:
        command.make_context("lumi", list(arguments))  # type: ignore[attr-defined]
    except (SystemExit, Exception):  # noqa: BLE001 - whatever it says, it is not accepted
        return False
    return True


def test_a_wrong_option_would_be_found() -> None:
    assert parses(BENCH, ["--devices", "1"])
    assert not parses(BENCH, ["--gadgets", "1"])


def test_lumi_says_what_it_can_do() -> None:
    shown = CliRunner().invoke(lumi.cli.app, ["--help"], terminal_width=100)
    assert shown.exit_code == 0
    for name in ("serve", "chat", "say", "doctor", "bench"):
        assert name in shown.output


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the command's own, with its own settings, ready."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    data_dir = tmp_path_factory.mktemp("data")
    command = [*LUMI, "serve", "--port", str(port), "--data-dir", str(data_dir)]
    with subprocess.Popen(
        command, cwd=data_dir, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as server:
        try:
            wait_until_ready(server, f"http://127.0.0.1:{port}/healthz")
            yield f"ws://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(20)


LUMI = (sys.executable, "-c", "from lumi.cli import main; main()")


def environment() -> dict[str, str]:
    """For the server and its clients: in a zone where it is past nine in the morning, as it is in the documents.

    'In ten minutes' is tomorrow to who asks ten minutes before midnight.
    """
    east = 9 - datetime.now(UTC).hour
    if east < -12:
        east += 24
    return {**os.environ, "PYTHONIOENCODING": "utf-8", "TZ": f"Etc/GMT{-east:+d}"}


def wait_until_ready(server: subprocess.Popen[bytes], url: str, patience_s: float = 40.0) -> None:
    give_up_s = time.monotonic() + patience_s
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            assert server.poll() is None, "the server did not start"
            assert time.monotonic() < give_up_s, f"{url} did not answer 200 within {patience_s:g} s"
            time.sleep(0.1)


@pytest.mark.real
@pytest.mark.parametrize("block", [block for block in FENCED if block.language == "python"], ids=str)
def test_python_blocks_run(block: Block, server_url: str, tmp_path: Path) -> None:
    program = tmp_path / "block.py"
    program.write_text(block.text.replace("ws://127.0.0.1:8000/", server_url), encoding="utf-8")
    run(sys.executable, "-W", "error", str(program), folder=tmp_path)


def run(*command: str, folder: Path) -> str:
    """What a command prints; it must succeed and print something."""
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=50,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "it printed nothing"
    return done.stdout


def exchanges(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a session in a terminal, and the last line it is said to print."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *shown = part.strip().splitlines()
        yield command, shown[-1].removeprefix("Lumi: ") if shown else ""


CONVERSATION = sorted({pair for block in FENCED if block.language == "console" for pair in exchanges(block)})

TIME_OF_DAY = re.compile(r"[\d:]+|[AP]M|凌晨|早上|上午|中午|下午|傍晚|晚上|半夜|点整|点半|点|分")


@pytest.mark.real
@pytest.mark.parametrize(("command", "shown"), CONVERSATION)
def test_the_conversation_in_the_readme_can_be_had(
    command: str, shown: str, server_url: str, tmp_path: Path
) -> None:
    shutil.copy(question(tmp_path), tmp_path / "question.wav")
    arguments = shlex.split(command)[1:]
    said = json.loads(run(*LUMI, *arguments, "--url", server_url, "--json", folder=tmp_path))
    reply = said.get("reply") or said.get("content")
    if "×" in shown:
        assert reply == shown
    else:  # the time goes on
        assert TIME_OF_DAY.sub("", reply).strip() == TIME_OF_DAY.sub("", shown).strip()


def question(folder: Path) -> Path:
    """'What time is it', spoken by the built-in voice."""
    path = folder / "spoken.wav"
    sound = asyncio.run(record_command())
    write_wav(path, sound.pcm, sound.rate_hz)
    return path
