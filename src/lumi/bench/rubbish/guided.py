"""The command `python -m lumi.bench.rubbish.guided`: rubbish that looks for its own way, guided by the branches it reached.

It needs atheris, which is not among the pins, since it has no wheel for every Python and system that Lumi runs on.
What is found is an exception with its traceback, and a file `crash-…` in the present directory that shows it again.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from lumi.bench.command_line import exit_code

USAGE_ERROR = 2
NAMES = ("decode", "framing", "connection", "opus")
MISSING = (
    "this needs atheris: pip install atheris (wheels for Linux on x86-64; elsewhere it is compiled, with clang). "
    "Without it, python -m lumi.bench.rubbish sends frames from a seed."
)
WATCHED = ["lumi.protocol", "lumi.audio.opus"]
"""Whose branches guide it."""

BOUNDS = ("-max_len=2048", "-timeout=10", "-rss_limit_mb=1024")
"""Bytes of an input, seconds that it may take, and memory."""

CHILD = "import sys; from lumi.bench.rubbish.guided import fuzz; fuzz(sys.argv[1])"
SEEDS = 400


def seeds(target: str, wanted: int = SEEDS) -> Iterator[bytes]:
    """Frames to begin with, in the form that the target takes."""
    from lumi.bench.rubbish.frames import Rubbish
    from lumi.bench.rubbish.targets import CUT

    supply = Rubbish(1)
    for number in range(wanted):
        frame = supply.sendable()
        raw = frame.encode() if isinstance(frame, str) else frame
        if target == "decode":
            yield raw
        else:  # the first byte chooses; of a connection's frames every other is text
            between = CUT if target == "connection" and isinstance(frame, str) else b""
            yield bytes([number % 256]) + between + raw


def words() -> Iterator[str]:
    """What stands in messages, for the fuzzer's dictionary."""
    from lumi.protocol.fields import tag_of
    from lumi.protocol.messages import CLIENT_TYPES

    for kind in CLIENT_TYPES:
        yield tag_of(kind)
        yield from (one.encode_name for one in msgspec.structs.fields(kind))


def dictionary(found: Iterable[str]) -> str:
    """As libFuzzer reads it: each word as JSON has it, in quotes."""
    return "".join(f'"\\"{word}\\""\n' for word in dict.fromkeys(found))


def prepared(folder: Path, target: str) -> list[str]:
    """Write what it begins with; the fuzzer's arguments for that."""
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds(target)):
        (corpus / f"{number:04}").write_bytes(seed)
    (folder / "words.dict").write_text(dictionary(words()), encoding="utf-8")
    return [str(corpus), f"-dict={folder / 'words.dict'}"]


def command(
    target: Annotated[str, typer.Argument(help=f"What is fed: {', '.join(NAMES)}.")],
    *,
    seconds: Annotated[int, typer.Option(min=1, max=86_400, help="It ends by itself after so long.")] = 60,
    seed: Annotated[int, typer.Option(min=1, help="Of the fuzzer's own chance.")] = 1,
    corpus: Annotated[
        Path | None, typer.Option(help="A folder where what reached something new is kept for the next time.")
    ] = None,
) -> None:
    """Feed the protocol or Opus with bytes that a fuzzer makes, guided by the branches that they reach."""
    if target not in NAMES:
        raise typer.BadParameter(f"{target!r} is none of {', '.join(NAMES)}", param_hint="TARGET")
    if importlib.util.find_spec("atheris") is None:
        Console(stderr=True).print(f"lumi.bench.rubbish.guided: {MISSING}", markup=False)
        raise typer.Exit(USAGE_ERROR)
    bounds = [f"-max_total_time={seconds}", f"-seed={seed}", "-print_final_stats=1", *BOUNDS]
    own = [] if corpus is None else [str(corpus)]
    for folder in own:
        Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lumi-guided-") as folder:
        said = json.dumps([target, [*own, *prepared(Path(folder), target), *bounds]])
        done = subprocess.run([sys.executable, "-c", CHILD, said], check=False)  # noqa: S603 - our own interpreter
    raise typer.Exit(1 if done.returncode else 0)


def fuzz(said: str) -> None:
    """Run in a process of its own, which the fuzzer ends itself: target and arguments, as JSON."""
    target, arguments = json.loads(said)
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=WATCHED):
        targets = importlib.import_module("lumi.bench.rubbish.targets").TARGETS
    atheris.Setup(["guided", *arguments], targets[target])
    atheris.Fuzz()


def main(arguments: Sequence[str]) -> int:
    """The command with its arguments as a shell would give them; returns the exit code."""
    return exit_code(command, arguments, "python -m lumi.bench.rubbish.guided")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
