"""The bench's result as a table, as JSON and in a page."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from lumi.bench.load import LoadResult
from lumi.bench.report import (
    BEGIN,
    END,
    Level,
    Machine,
    Options,
    Report,
    _cpu_model,
    into_page,
    markdown,
    table,
    this_machine,
)
from lumi.bench.statistics import spread
from lumi.errors import ConfigError


def level(*, own_late_percent: float = 0.0, unanswered: int = 0, answers: int = 30) -> Level:
    load = LoadResult(
        devices=10,
        answers=answers,
        packets=3000,
        late_percent=0.25,
        stalls=3,
        stalled_answers=2,
        worst_ms=80.0,
        first_audio_ms=spread([10.0, 20.0, 30.0] if answers else []),
        hello_ms=spread([1.5]),
        unanswered=unanswered,
        errors=[],
        own_late_percent=own_late_percent,
        own_late_ms=spread([0.5]),
    )
    return Level(load, cpu_percent=35.0, rss_mb=123.4, threads=9, processes=1)


def report(*levels: Level, cached: bool = False, pinned: bool = False) -> Report:
    machine = Machine("Linux x86_64", "3.12.1", 2, "A processor", "0.1.0")
    return Report(machine, Options(30.0, cached, pinned), list(levels))


def test_a_row_shows_every_figure() -> None:
    row = markdown(report(level())).splitlines()[-1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        "10", "0.25 %", "2 of 30", "20.0 / 30.0", "1.5 / 1.5", "35.0", "3.50", "123", "9", "0.00 %",
    ]  # fmt: skip


def test_a_late_generator_makes_the_row_void_and_silence_is_named() -> None:
    row = markdown(report(level(own_late_percent=1.5, unanswered=4))).splitlines()[-1]
    assert "1.50 % (void)" in row
    assert "2 of 30 + 4 silent" in row


def test_what_was_not_measured_is_no_figure() -> None:
    assert " – |" in markdown(report(level(answers=0)))


@pytest.mark.parametrize(
    ("cached", "pinned", "words"),
    [(False, False, "never the same"), (True, False, "cached"), (False, True, "pinned to one core")],
)
def test_the_page_says_how_it_was_measured(cached: bool, pinned: bool, words: str) -> None:
    head = markdown(report(level(), cached=cached, pinned=pinned)).splitlines()[0]
    assert words in head
    assert "A processor, 2 cores" in head


def test_the_terminal_gets_the_same_columns() -> None:
    out = io.StringIO()
    Console(file=out, width=200).print(table([level(), level()]))
    assert out.getvalue().count("2 of 30") == 2


def test_a_report_survives_json() -> None:
    given = report(level(), level(answers=0))
    assert msgspec.json.decode(msgspec.json.encode(given), type=Report) == given


def test_text_goes_between_the_marks_of_a_page_and_again() -> None:
    page = f"# Title\n\n{BEGIN}\n{END}\n\nend\n"
    once = into_page(page, "table\n")
    assert once == f"# Title\n\n{BEGIN}\ntable\n{END}\n\nend\n"
    assert into_page(once, "table\n") == once


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ConfigError, match="bench:begin"):
        into_page("# Title\n", "table\n")


def test_the_machine_is_named(tmp_path: Path) -> None:
    assert this_machine().cores >= 1
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor: 0\nmodel name\t: Fast One\n", encoding="utf-8")
    assert _cpu_model(cpuinfo) == "Fast One"
    assert isinstance(_cpu_model(tmp_path / "missing"), str)
