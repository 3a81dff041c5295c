"""The last warnings and errors of the log, for the operator's view. The log's processors have taken secrets and words out."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from msgspec import Struct

from lumi.server.log import ROOT

KEPT = 200
MOST_CHARACTERS = 500
"""Of one value."""

NOT_SHOWN = {"event", "level", "exc_info"}


class Problem(Struct, frozen=True, kw_only=True):
    """A line of the log."""

    number: int
    at: float
    level: Literal["warning", "error"]
    subject: str
    event: str
    values: dict[str, str]


class Problems(logging.Handler):
    """A ring of `KEPT`; sees what is logged while `watching`."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._ring: deque[Problem] = deque(maxlen=KEPT)
        self.count = 0
        """So far."""

    @contextmanager
    def watching(self) -> Iterator[None]:
        root = logging.getLogger(ROOT)
        root.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)

    def all(self) -> list[Problem]:
        """In order."""
        return list(self._ring)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record. Called by whoever logs, so it does no more than that."""
        said = record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
        values = {key: _short(value) for key, value in said.items() if key not in NOT_SHOWN}
        if (failure := _exception(record, said)) is not None:
            values["exception"] = failure
        self.count += 1
        self._ring.append(
            Problem(
                number=self.count,
                at=record.created,
                level="error" if record.levelno >= logging.ERROR else "warning",
                subject=record.name.removeprefix(f"{ROOT}."),
                event=_short(said.get("event", "")),
                values=values,
            )
        )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"


def _exception(record: logging.LogRecord, said: dict[str, Any]) -> str | None:
    """The kind of an exception; its text and where it came from stand in the log."""
    info = record.exc_info or said.get("exc_info")
    kind = info[0] if isinstance(info, tuple) else None
    return None if kind is None else str(kind.__name__)
