"""A double for the sound library: devices whose card is moved by hand."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any


class MiniaudioError(Exception):
    pass


class Backend:
    NULL = "null"


class Device:
    opened: list[Any] = []

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.backend = "Null" if options["backends"] else "ALSA"
        self.callback: Generator[Any, Any, Any] | None = None
        self.closed = False
        Device.opened.append(self)

    def start(self, callback: Generator[Any, Any, Any]) -> None:
        self.callback = callback

    def close(self) -> None:
        self.closed = True

    def move(self, value: Any) -> Any:
        """What the card's thread does: hand over what was recorded, or ask for frames to play."""
        assert self.callback is not None
        return self.callback.send(value)


class CaptureDevice(Device):
    pass


class PlaybackDevice(Device):
    pass


def last() -> Any:
    return Device.opened[-1]
