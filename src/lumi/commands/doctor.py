"""`lumi doctor`: what is missing on this machine, and what to do about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from lumi.commands import examinations
from lumi.commands.console import Console
from lumi.commands.examinations import Finding, Verdict
from lumi.commands.running import DONE, NOT_WELL
from lumi.errors import LumiError

Examination = Callable[[Console], Awaitable[Finding | None]]
"""None: there is nothing to be examined."""

EXAMINATIONS: dict[str, Examination] = {
    "python": examinations.python,
    "settings": examinations.settings,
    "store": examinations.store,
    "port": examinations.port,
    "opus": examinations.opus,
    "vad": examinations.vad,
    "stt": examinations.stt,
    "llm": examinations.llm,
    "tts": examinations.tts,
    "duplex": examinations.duplex,
    "models": examinations.models,
    "microphone": examinations.microphone,
}

MARKS: dict[Verdict, str] = {"ok": "✓", "note": "•", "missing": "✗"}


@dataclass(frozen=True, slots=True)
class Line:
    """One examination's result, as JSON shows it."""

    name: str
    verdict: Verdict
    found: str
    mend: str


async def doctor(console: Console) -> int:
    """Examine everything; the exit code is 1 if something needed is missing (notes are not)."""
    examined = [await examine(console, name, examination) for name, examination in EXAMINATIONS.items()]
    lines = [line for line in examined if line is not None]
    well = all(line.verdict != "missing" for line in lines)
    console.result({"ok": well, "checks": [asdict(line) for line in lines]})
    width = max(map(len, EXAMINATIONS))
    for line in lines:
        mend = f" → {line.mend}" if line.mend else ""
        console.write(f"{MARKS[line.verdict]} {line.name:<{width}}  {line.found}{mend}")
    return DONE if well else NOT_WELL


async def examine(console: Console, name: str, examination: Examination) -> Line | None:
    """One examination; an error of ours is a finding."""
    try:
        finding = await examination(console)
    except LumiError as error:
        finding = Finding("missing", str(error))
    return None if finding is None else Line(name, finding.verdict, finding.found, finding.mend)
