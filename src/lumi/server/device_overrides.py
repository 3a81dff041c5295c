"""What is different for one device: told by the settings' `[devices.NAME]` tables, and over them by its registration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class DeviceOverrides:
    """None: nothing is said, and what stands below holds."""

    persona: str | None = None
    language: str | None = None
    """`zh` or `en`."""
    locale: str | None = None
    timezone: str | None = None
    """IANA name."""
    voice: str | None = None
    speed: float | None = None
    stt: str | None = None
    """An engine, or the name of an `[engines.NAME]` table; so are the next two."""
    llm: str | None = None
    tts: str | None = None
    record: bool | None = None
    """Recordings of its sessions are kept."""
    tools_allow: tuple[str, ...] | None = None
    """Patterns of the names of tools, `*` standing for anything; only these may be called."""
    tools_deny: tuple[str, ...] | None = None
    """These may not, whatever `tools_allow` says."""

    def over(self, under: DeviceOverrides) -> DeviceOverrides:
        """Both together; where both say something, this one's word holds."""
        merged = {
            field.name: getattr(under if getattr(self, field.name) is None else self, field.name)
            for field in fields(self)
        }
        return DeviceOverrides(**merged)


NOTHING = DeviceOverrides()

OverridesOf = Callable[[str], DeviceOverrides]
"""By device id; asked at the start of every turn, so it must not wait."""


def nothing(_: str) -> DeviceOverrides:
    """No device is different."""
    return NOTHING
