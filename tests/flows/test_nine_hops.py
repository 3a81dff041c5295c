"""One utterance, followed hop by hop, so that the table in the docs cannot rot.

A profiler notes which of the project's files run, in the order of their first call since the device connected. Every
file that the table names must be among them, and the hops must be passed in the table's order.
"""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any, Self

import pytest

import lumi
from lumi.testing.rehearsal import Rehearsal, spoken

PACKAGE = Path(lumi.__file__).parent
ROOT = Path(__file__).parents[2]
TABLES = ["docs/design.md", "README.md", "README.zh.md"]
ROW = re.compile(r"^\| (\d) \| [^|]+ \| (?P<where>[^|]+) \|", re.MULTILINE)
FILE = re.compile(r"`([a-z_/]+(?:\.py|/))`")

LANDMARKS = [
    "transport/",
    "protocol/codec.py",
    "protocol/state.py",
    "server/session_manager.py",
    "server/handlers.py",
    "voice/turn.py",
    "server/response_generator.py",
]
"""One file of each hop on the way in, passed in this order."""


def hops(document: str) -> list[list[str]]:
    """The files (or rooms) of each row, relative to the package; a bare file is in the room of the one before it."""
    rows = []
    for row in ROW.finditer((ROOT / document).read_text(encoding="utf-8")):
        files: list[str] = []
        for name in FILE.findall(row["where"]):
            room = "" if "/" in name else files[-1].rsplit("/", 1)[0] + "/"
            files.append(room + name)
        rows.append(files)
    return rows


class Trail:
    """Files of the package in the order of their first call, all threads together."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._seen: set[str] = set()

    def __enter__(self) -> Self:
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name not in self._seen:
            self._seen.add(name)
            path = Path(name)
            if path.is_relative_to(PACKAGE):
                self.files.append(path.relative_to(PACKAGE).as_posix())

    def first(self, wanted: str) -> int:
        """When a file, or any file of a room, was first called."""
        room = wanted.rstrip("/") + "/"
        return next(at for at, name in enumerate(self.files) if name == wanted or name.startswith(room))

    def passed(self, wanted: str) -> bool:
        """Whether the utterance came through a file; one that only declares things counts when they were used."""
        room = wanted.rstrip("/") + "/"
        if any(name == wanted or name.startswith(room) for name in self.files):
            return True
        declared = module_of(wanted)
        used_by = [sys.modules[module_of(name)] for name in self.files if module_of(name) in sys.modules]
        return any(
            getattr(thing, "__module__", "") == declared for user in used_by for thing in vars(user).values()
        )


def module_of(file: str) -> str:
    return "lumi." + file.removesuffix(".py").replace("/", ".")


async def utterance() -> Trail:
    async with Rehearsal() as house:
        with Trail() as trail:
            await converse(house)
    return trail


async def converse(house: Rehearsal) -> None:
    async with house.device() as device:
        await device.hello()
        await device.listen("start", mode="auto")
        await device.play(spoken(900, then_silent_ms=900))
        await device.spoken_turn()


@pytest.mark.parametrize("document", TABLES)
async def test_an_utterance_goes_through_the_hops_of_the_table(document: str) -> None:
    table = hops(document)
    assert len(table) == 9, f"{document}: nine hops, not {len(table)}"
    trail = await utterance()
    missed = [name for files in table for name in files if not trail.passed(name)]
    assert not missed, f"{document} names what no utterance comes through: {missed}"
    assert all(landmark in files for landmark, files in zip(LANDMARKS, table, strict=False))
    inward = [trail.first(landmark) for landmark in LANDMARKS]
    assert inward == sorted(inward), list(zip(LANDMARKS, inward, strict=True))
