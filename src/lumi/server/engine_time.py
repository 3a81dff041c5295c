"""How long engines worked for each device in the last hour, and whether a device has used what it may.

Pure counting; time is passed in, in seconds of a clock that never goes back.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

HOUR_S = 3600.0
SLOT_S = 60.0
"""What is used is counted by the minute, and forgotten by the minute."""

MOST_DEVICES = 4096
"""Whose use is remembered; those that have used none for longest are forgotten first."""

SAID_AGAIN_S = 60.0
"""A device that goes on asking is told so often."""


@dataclass(slots=True)
class Slot:
    """What was used within `SLOT_S` from `begins` on."""

    begins: float
    used_s: float


@dataclass(slots=True)
class Use:
    """Of one device."""

    slots: deque[Slot] = field(default_factory=deque)  # bounded: an hour's minutes
    told_at: float | None = None

    def forget_before(self, now: float) -> None:
        while self.slots and self.slots[0].begins <= now - HOUR_S:
            self.slots.popleft()


class EngineTime:
    """The use of all devices.

    Args:
        minutes: what a device may use in an hour; 0.0: any.
    """

    def __init__(self, minutes: float = 0.0) -> None:
        self.minutes = minutes
        self._uses: dict[str, Use] = {}  # bounded by `MOST_DEVICES`

    def __len__(self) -> int:
        """Devices that are remembered."""
        return len(self._uses)

    def spend(self, device_id: str, seconds: float, now: float) -> None:
        """Engines have worked so long for a device."""
        if seconds <= 0.0:
            return
        use = self._uses.pop(device_id, None) or Use()
        self._uses[device_id] = use
        if len(self._uses) > MOST_DEVICES:
            del self._uses[next(iter(self._uses))]
        use.forget_before(now)
        if not use.slots or now - use.slots[-1].begins >= SLOT_S:
            use.slots.append(Slot(now, 0.0))
        use.slots[-1].used_s += seconds

    def used_s(self, device_id: str, now: float) -> float:
        """What a device has used in the last hour."""
        use = self._uses.get(device_id)
        if use is None:
            return 0.0
        use.forget_before(now)
        return sum(slot.used_s for slot in use.slots)

    def wait_s(self, device_id: str, now: float) -> float:
        """How long until a device may have engines work for it again; 0.0: it may."""
        over_s = self.used_s(device_id, now) - self.minutes * 60.0
        if not self.minutes or over_s < 0.0:
            return 0.0
        for slot in self._uses[device_id].slots:
            over_s -= slot.used_s
            if over_s < 0.0:
                return min(HOUR_S, slot.begins + HOUR_S - now)
        return HOUR_S

    def tell(self, device_id: str, now: float) -> bool:
        """Whether a device that may not is to be told so aloud now, or was a moment ago."""
        use = self._uses.get(device_id)
        if use is None or (use.told_at is not None and now - use.told_at < SAID_AGAIN_S):
            return False
        use.told_at = now
        return True
