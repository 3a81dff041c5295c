"""Firmware files that devices may load: `BOARD_VERSION.bin` in one directory, e.g. `bread-compact-wifi_1.7.2.bin`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = re.compile(r"(?P<board>[A-Za-z0-9][A-Za-z0-9.-]*)_(?P<version>\d+(?:\.\d+){0,5})\.bin")
VERSION = re.compile(r"v?(\d+(?:\.\d+){0,5})")


@dataclass(frozen=True, slots=True)
class Image:
    """One file."""

    path: Path
    board: str
    version: str


class Firmware:
    """The files as they lie there now; nobody has to be told of a new one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def images(self) -> Iterator[Image]:
        """All whose name says what they are. A directory that is not there has none."""
        try:
            paths = sorted(self._directory.iterdir())
        except OSError:
            return
        for path in paths:
            match = FILE_NAME.fullmatch(path.name)
            if match and path.is_file():
                yield Image(path, match["board"], match["version"])

    def newer(self, board: str, version: str) -> Image | None:
        """The newest file for a board, if it is newer than what runs there.

        Args:
            board: as the device says it; letters may be large or small.
            version: what runs there; nothing is offered to a version that cannot be read.
        """
        running = ordered(version)
        fitting = [image for image in self.images() if image.board.lower() == board.lower()]
        newest = max(fitting, key=lambda image: ordered(image.version) or (), default=None)
        if newest is None or running is None or (ordered(newest.version) or ()) <= running:
            return None
        return newest

    def find(self, name: str) -> Path | None:
        """A file by its name; there is no way out of the directory."""
        return next((image.path for image in self.images() if image.path.name == name), None)


def ordered(version: str) -> tuple[int, ...] | None:
    """A version as numbers, so that 1.10 comes after 1.9; None: it cannot be read."""
    match = VERSION.match(version.strip())
    if match is None:
        return None
    numbers = [int(number) for number in match[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
