"""The command from its arguments to its table, with a real server and a real load generator."""

from __future__ import annotations

import io
import os
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from lumi.bench import processes, run
from lumi.bench.report import BEGIN, END, Report
from lumi.errors import ConfigError


def test_numbers_of_devices_are_whole_numbers_from_one() -> None:
    assert run.parse_devices("1,10, 25") == (1, 10, 25)


@pytest.mark.parametrize("text", ["", "many", "1,,2", "0", "3,-1", "1.5"])
def test_other_numbers_are_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match="--devices"):
        run.parse_devices(text)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--devices", "none"], "--devices"),
        (["--markdown", "missing.md"], "missing.md"),
        (["--gadgets"], "--gadgets"),
        (["--seconds", "0"], "--seconds"),
    ],
)
def test_wrong_input_is_one_message_and_exit_code_2(
    arguments: list[str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run.main(arguments) == run.USAGE_ERROR
    said = capfd.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_help_tells_the_options(capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--help"]) == 0
    assert "--cached" in capfd.readouterr().out


def test_a_page_without_marks_is_refused_before_anything_runs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Nothing\n", encoding="utf-8")
    assert run.main(["--markdown", str(page)]) == run.USAGE_ERROR
    assert BEGIN in capfd.readouterr().err


def test_pinning_needs_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    with pytest.raises(ConfigError, match="--pin"):
        run.check_pinning()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    run.check_pinning()


@pytest.mark.real
async def test_a_process_that_ends_too_early_is_named() -> None:
    async with processes.process("lumi.bench.playout") as process:
        with pytest.raises(processes.BenchFailed, match="the server ended too early"):
            await processes.line(process, "server")


@pytest.mark.real
@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processes cannot be pinned here")
async def test_a_process_is_pinned_to_its_core() -> None:
    core = min(os.sched_getaffinity(0))
    async with processes.process("asyncio", core=core) as process:
        assert os.sched_getaffinity(process.pid) == {core}


@pytest.mark.real
def test_two_devices_are_measured_and_written_down(tmp_path: Path) -> None:
    page, json_file = tmp_path / "page.md", tmp_path / "bench.json"
    page.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    out = io.StringIO()
    plan = run.Plan((2,), seconds=1.0, ramp_s=0.2)
    run.bench(plan, Console(file=out, width=120), json_file=json_file, page=page)

    (level,) = msgspec.json.decode(json_file.read_bytes(), type=Report).levels
    assert (level.load.devices, level.load.answers) == (2, 2)
    assert (level.load.unanswered, level.load.errors) == (0, [])
    assert level.load.packets >= 2 * 5 / 0.06  # three sentences of some two seconds
    assert level.load.hello_ms.count == 2
    assert level.cpu_percent > 0
    assert level.rss_mb > 20
    assert level.threads >= 1
    assert "Devices in conversation" in out.getvalue()
    assert f"{level.load.stalled_answers} of 2" in page.read_text(encoding="utf-8")
    assert "| 2 |" in page.read_text(encoding="utf-8")
