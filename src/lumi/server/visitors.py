"""Who has been here since the server started, registered or not."""

from __future__ import annotations

from collections.abc import Iterator

MOST = 256
"""Devices that are remembered; those that have not come for longest are forgotten first."""


class Visitors:
    """Iterates over ids of devices, the latest to come first."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}  # bounded by `MOST`

    def note(self, device_id: str) -> None:
        """It has come."""
        self._ids.pop(device_id, None)
        self._ids[device_id] = None
        if len(self._ids) > MOST:
            del self._ids[next(iter(self._ids))]

    def __iter__(self) -> Iterator[str]:
        return reversed(self._ids)
