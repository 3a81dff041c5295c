"""One process at a time fetches a model; the lock goes with the process, however that ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lumi.errors import ModelError


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock file `path`. Raises `ModelError` where another process does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            _take(file.fileno())
        except OSError as error:
            raise ModelError(f"another program is fetching {path.stem} right now; wait for it") from error
        yield


if sys.platform == "win32":  # pragma: no cover

    def _take(number: int) -> None:
        import msvcrt

        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
else:

    def _take(number: int) -> None:
        import fcntl

        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
