"""The bench's result: as a table for the terminal, as JSON, and as a table in a markdown page."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil
from rich import box
from rich.table import Table

from lumi._version import __version__
from lumi.bench.load import LoadResult
from lumi.bench.statistics import Spread
from lumi.errors import ConfigError

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


class Options(msgspec.Struct, frozen=True):
    """How it was measured."""

    seconds: float
    cached: bool
    pinned: bool


class Level(msgspec.Struct, frozen=True):
    """One number of devices: what they met, and what the server used meanwhile. CPU in percent of one core."""

    load: LoadResult
    cpu_percent: float
    rss_mb: float
    threads: int
    processes: int

    @property
    def cpu_per_device(self) -> float:
        return self.cpu_percent / self.load.devices


class Machine(msgspec.Struct, frozen=True):
    system: str
    python: str
    cores: int
    cpu: str
    lumi: str


class Report(msgspec.Struct, frozen=True):
    machine: Machine
    options: Options
    levels: list[Level]


def this_machine() -> Machine:
    """Where it was measured."""
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        cores=psutil.cpu_count() or 0,
        cpu=_cpu_model(Path("/proc/cpuinfo")),
        lumi=__version__,
    )


def _cpu_model(cpuinfo: Path) -> str:
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def _pair(figures: Spread) -> str:
    if figures.median is None or figures.p95 is None:
        return "–"
    return f"{figures.median:.1f} / {figures.p95:.1f}"


def _stalls(level: Level) -> str:
    stalled, answers = level.load.stalled_answers, level.load.answers
    return f"{stalled} of {answers}" + (f" + {level.load.unanswered} silent" if level.load.unanswered else "")


def _own_lateness(level: Level) -> str:
    return f"{level.load.own_late_percent:.2f} %" + (" (void)" if level.load.void else "")


@dataclass(frozen=True, slots=True)
class Column:
    """One figure: its title in a terminal, where there is little room, and in a page."""

    short: str
    title: str
    show: Callable[[Level], str]


COLUMNS = (
    Column("devices", "devices", lambda level: str(level.load.devices)),
    Column("late", "frames > 20 ms late", lambda level: f"{level.load.late_percent:.2f} %"),
    Column("stalled", "answers that stalled", _stalls),
    Column("audio ms", "first audio, ms (median / p95)", lambda level: _pair(level.load.first_audio_ms)),
    Column("hello ms", "hello, ms (median / p95)", lambda level: _pair(level.load.hello_ms)),
    Column("CPU %", "CPU, % of a core", lambda level: f"{level.cpu_percent:.1f}"),
    Column("each", "CPU per device", lambda level: f"{level.cpu_per_device:.2f}"),
    Column("MB", "memory, MB", lambda level: f"{level.rss_mb:.0f}"),
    Column("threads", "threads", lambda level: str(level.threads)),
    Column("own", "generator > 10 ms late", _own_lateness),
)


def table(levels: Sequence[Level]) -> Table:
    """For the terminal."""
    result = Table(title="Devices in conversation", box=box.SIMPLE, pad_edge=False)
    for column in COLUMNS:
        result.add_column(column.short, justify="right", no_wrap=True)
    for level in levels:
        result.add_row(*(column.show(level) for column in COLUMNS))
    return result


def markdown(report: Report) -> str:
    """The same for a page, with how and where it was measured."""
    machine, options = report.machine, report.options
    answers = (
        "the same three sentences each time (cached)" if options.cached else "never the same sentence twice"
    )
    pinned = (
        "server pinned to one core, generator to another"
        if options.pinned
        else "server and generator share the cores"
    )
    where = f"Lumi {machine.lumi}, {machine.cpu or machine.system}, {machine.cores} cores, {machine.system}, "
    how = f"Python {machine.python}; {options.seconds:g} s each; answers: {answers}; {pinned}."
    lines = [
        where + how,
        "",
        "| " + " | ".join(column.title for column in COLUMNS) + " |",
        "|" + "--:|" * len(COLUMNS),
        *("| " + " | ".join(column.show(level) for column in COLUMNS) + " |" for level in report.levels),
    ]
    return "\n".join(lines) + "\n"


def into_page(page: str, text: str, begin: str = BEGIN, end: str = END) -> str:
    """Put `text` between the page's two marks.

    Raises:
        ConfigError: the page has no such marks.
    """
    head, found, rest = page.partition(begin)
    _, ended, tail = rest.partition(end)
    if not found or not ended:
        raise ConfigError("--markdown", f"the page must contain the lines {begin} and {end}")
    return f"{head}{begin}\n{text}{end}{tail}"
