"""What is known of Lumi's own engines, as a table: for `lumi engines` and for docs/engines.md, which is checked against it.

Another package's engines are not in it; what can be told of them, the registry tells.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

BEGIN, END = "<!-- the table: lumi.engines.overview -->\n", "<!-- end of the table -->\n"


class Place(StrEnum):
    """Where an engine's work is done."""

    HERE = "in the server"
    PROCESS = "a process of its own"
    ELSEWHERE = "another program or machine"
    TALK = "the program that listens (`lumi talk`)"


class Pace(StrEnum):
    """When it gives what it gives."""

    LIVE = "while you speak"
    WHOLE = "when you have finished"
    CLAUSES = "clause by clause"
    PIECES = "piece by piece"


@dataclass(frozen=True, slots=True)
class Known:
    """One engine. `packages` are import names; `needs` is what must be had beside the extra."""

    kind: str
    name: str
    languages: str
    pace: Pace
    place: Place
    extra: str
    packages: tuple[str, ...]
    tested: str
    needs: str = ""
    model: str = ""
    """A model of the catalogue to begin with, for engines that need one."""
    but: str = ""
    """Where it gives at another pace than `pace` says."""
    test: str = ""
    """The file of its tests, if that has not its own name."""

    @property
    def key(self) -> str:
        """Its name in the registry."""
        return f"{self.kind}.{self.name}"

    @property
    def test_file(self) -> str:
        """Where the project tests it."""
        return f"tests/{self.test or f'engines/test_{self.name}_{self.kind}'}.py"

    @property
    def install(self) -> str:
        return f"pip install 'lumi-assistant[{self.extra}]'"


_TINY = "tiny models with the real loading code"
_STAND_IN = "a stand-in service over real sockets"
_WYOMING = "servers made of the official package, over real sockets"

ENGINES: tuple[Known, ...] = (
    Known(
        "vad", "silero", "any", Pace.LIVE, Place.HERE, "server", ("onnxruntime", "numpy"), "its real model",
        test="engines/test_silero",
    ),
    Known(
        "stt", "pocketsphinx", "en", Pace.LIVE, Place.PROCESS, "server", ("pocketsphinx",),
        "its real model, synthetic and human speech", test="engines/test_pocketsphinx",
    ),
    Known(
        "stt", "sherpa", "zh en ja ko yue (sense-voice); zh en (zipformer-zh-en)", Pace.LIVE, Place.PROCESS, "sherpa",
        ("sherpa_onnx", "numpy"), f"{_TINY}; its real models **not run here**: `LUMI_TEST_SENSE_VOICE`",
        model="sense-voice", but="SenseVoice: when you have finished",
    ),
    Known(
        "stt", "whisper", "99, by model", Pace.WHOLE, Place.PROCESS, "whisper", ("faster_whisper",),
        "real (Whisper's tiny.en); others: `LUMI_TEST_WHISPER`", model="whisper-base",
    ),
    Known(
        "stt", "openai", "by service", Pace.WHOLE, Place.ELSEWHERE, "server", ("openai",), _STAND_IN,
        needs="base_url or api_key", but="piece by piece with `options.stream`",
    ),
    Known(
        "stt", "wyoming", "by service", Pace.WHOLE, Place.ELSEWHERE, "server", ("wyoming",), _WYOMING,
        needs="the service's address", but="while you speak, where the server sends partials",
    ),
    Known(
        "llm", "skills", "zh en", Pace.PIECES, Place.HERE, "server", ("hassil", "babel"), "itself",
        test="skills/test_assistant",
    ),
    Known(
        "llm", "openai", "by service", Pace.PIECES, Place.ELSEWHERE, "server", ("openai",), _STAND_IN,
        needs="base_url or api_key",
    ),
    Known("tts", "espeak", "zh en yue", Pace.CLAUSES, Place.PROCESS, "server", ("espeakng_loader",), "itself", test="engines/test_espeak"),
    Known(
        "tts", "sherpa", "zh en, by model", Pace.CLAUSES, Place.PROCESS, "sherpa", ("sherpa_onnx", "numpy"),
        f"{_TINY}; its real voices **not run here**: `LUMI_TEST_SHERPA_VOICE`", model="melo-zh-en",
    ),
    Known(
        "tts", "piper", "one, by model", Pace.CLAUSES, Place.PROCESS, "piper", ("piper",),
        "real (en_US-joe-medium); others: `LUMI_TEST_PIPER`", model="piper-zh-huayan",
    ),
    Known(
        "tts", "openai", "by service", Pace.PIECES, Place.ELSEWHERE, "server", ("openai",), _STAND_IN,
        needs="base_url or api_key",
    ),
    Known(
        "tts", "wyoming", "by service", Pace.PIECES, Place.ELSEWHERE, "server", ("wyoming",), _WYOMING,
        needs="the service's address",
    ),
    Known(
        "duplex", "openai_realtime", "by service", Pace.PIECES, Place.ELSEWHERE, "server", ("aiohttp",), _STAND_IN,
        needs="base_url or api_key", test="engines/test_openai_realtime",
    ),
    Known(
        "wake", "micro", "en, by model", Pace.LIVE, Place.TALK, "wake", ("pymicro_wakeword",), "its real models",
        test="engines/test_wake_micro",
    ),
    Known(
        "wake", "wyoming", "by service", Pace.LIVE, Place.ELSEWHERE, "server", ("wyoming",),
        f"{_WYOMING}; by hand with a real openWakeWord server", needs="the service's address",
        test="engines/test_wyoming_wake",
    ),
)  # fmt: skip


def known(kind: str, name: str) -> Known | None:
    """What the table says of an engine; None for somebody else's."""
    return next((one for one in ENGINES if (one.kind, one.name) == (kind, name)), None)


def markdown() -> str:
    """The table, for the docs."""
    rows = "".join(
        f"| {one.kind} | `{one.name}` | {one.languages} | {_pace(one)} | {one.place} | {_wanted(one)} | {_tested(one)} |\n"
        for one in ENGINES
    )
    return (
        "| kind | engine | languages | it gives | it works in | what to have | tested with |\n"
        "|---|---|---|---|---|---|---|\n" + rows
    )


def _pace(one: Known) -> str:
    return f"{one.pace} ({one.but})" if one.but else one.pace


def _tested(one: Known) -> str:
    return f"[{one.tested.partition(';')[0]}](../{one.test_file}){''.join(one.tested.partition(';')[1:])}"


def _wanted(one: Known) -> str:
    parts = [f"extra `{one.extra}`" if one.extra != "server" else ""]
    parts += [f"`lumi models add {one.model}`" if one.model else "", one.needs]
    return ", ".join(part for part in parts if part) or "–"


def with_table(page: str) -> str:
    """The page with the table as it is now. Raises `ValueError` where its marks are not there."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError("the page has no place for the table")
    return before + BEGIN + "\n" + markdown() + "\n" + END + after


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
