"""The server that is killed, a process of its own: `python -m lumi.bench.chaos.server PORT FOLDER`.

Real but for its engines, with its database in the folder; port 0 takes a free one. It writes its port on standard
output when it is ready, notes every answer that it begins to make in `FOLDER/made.jsonl`, and ends when its standard
input does, or is killed before.
"""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

import msgspec

from lumi.bench.chaos.record import Made
from lumi.config import load
from lumi.server.server import Server
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad

ANSWER_S = 0.03
"""How long an answer takes to make: long enough to die in the middle of it."""

LEDGER = "made.jsonl"


def append(path: Path, line: object) -> None:
    """Add a line of JSON in one write: whole, or not there, also if the process dies."""
    file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.write(file, msgspec.json.encode(line) + b"\n")
    finally:
        os.close(file)


class Maker:
    """Makes answers; every making gives another text."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger

    def answer(self, text: str) -> Sequence[str | float]:
        """Noted when it begins."""
        append(self._ledger, Made(os.getpid(), text))
        return [ANSWER_S / 2, f"{text} answered, ", ANSWER_S / 2, uuid.uuid4().hex]


async def serve(port: int, folder: Path) -> None:
    """Serve until standard input ends."""
    flags = {"server.port": port, "server.data_dir": folder, "log.level": "error", "log.file": False}
    config = load(flags=flags, environ={}, directory=folder)
    maker = Maker(folder / LEDGER)
    async with Server(
        config, vad=ScriptedVad(), stt=ScriptedStt(), llm=ScriptedLlm(maker.answer), tts=ScriptedTts()
    ) as server:
        await server.wait_ready()
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
