"""What a recording of a replay shows: its messages, its packets, its spoken turns."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from lumi.testing.replay import FRAMINGS, Recording
from lumi.testing.wire import Json, Received, is_tts

Complaints = Iterator[str]


@dataclass(frozen=True, slots=True)
class Turn:
    """From `tts start` to `tts stop`. `cut_s`: when the client cut it off; None: it did not."""

    started_s: float
    stopped_s: float
    items: list[Received]
    cut_s: float | None

    @property
    def packets(self) -> list[Received]:
        return [item for item in self.items if isinstance(item.content, bytes)]


def messages(recording: Recording, type_: str = "") -> Iterator[tuple[float, Json]]:
    """Those from the server, of one type or of all, with their times."""
    for item in recording.down:
        if isinstance(item.content, dict) and type_ in {"", item.content.get("type")}:
            yield item.at_s, item.content


def packets(recording: Recording) -> Iterator[tuple[bytes | None, int]]:
    """Each packet of sound without its header, and its frame's size; None: it has another header or none."""
    unwrap = FRAMINGS[recording.script.framing].unwrap
    for item in recording.down:
        if isinstance(item.content, bytes):
            try:
                yield unwrap(item.content), len(item.content)
            except (AssertionError, struct.error):
                yield None, len(item.content)


def turns(recording: Recording) -> list[Turn]:
    """Every spoken turn that has its stop."""
    found, begun = [], None
    for number, item in enumerate(recording.down):
        if is_tts(item, "start"):
            begun = number
        elif is_tts(item, "stop") and begun is not None:
            items = recording.down[begun : number + 1]
            found.append(Turn(items[0].at_s, item.at_s, items, _cut(recording, items[0].at_s, item.at_s)))
            begun = None
    return found


def _cut(recording: Recording, start_s: float, stop_s: float) -> float | None:
    """When the client ended a turn itself."""
    for item in recording.up:
        content = item.content
        if isinstance(content, dict) and content.get("type") == "abort" and start_s < item.at_s <= stop_s:
            return item.at_s
    return None
