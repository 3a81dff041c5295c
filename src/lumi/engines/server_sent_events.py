"""Reads a `text/event-stream` as it comes: bytes in, the data of each event out.

Only what the OpenAI API uses of it: `data` fields; comments, names and ids of events are passed over.
"""

from __future__ import annotations

import re

LONGEST_BYTES = 4 * 1024 * 1024
"""Of one event: no answer has more, and what has no end is none."""

_LINE_END = re.compile(rb"\r\n|\n|\r(?=[^\n])")


class EventTooLong(ValueError):
    """An event that does not end."""


class EventReader:
    """Pieces may be cut anywhere, also within a character."""

    def __init__(self) -> None:
        self._buffer = b""
        self._data: list[bytes] = []

    def push(self, piece: bytes) -> list[bytes]:
        """The data of the events that are whole now. Raises `EventTooLong`."""
        *lines, self._buffer = _LINE_END.split(self._buffer + piece)
        if len(self._buffer) + sum(map(len, self._data)) > LONGEST_BYTES:
            raise EventTooLong(f"an event of more than {LONGEST_BYTES} bytes")
        return [event for line in lines if (event := self._line(line)) is not None]

    def finish(self) -> list[bytes]:
        """The stream has ended: the event that no empty line closed, if it has whole lines."""
        torn, self._buffer = self._buffer, b""
        return [] if torn else self.push(b"\n")

    def _line(self, line: bytes) -> bytes | None:
        if not line:
            data, self._data = self._data, []
            return b"\n".join(data) if data else None
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        return None
