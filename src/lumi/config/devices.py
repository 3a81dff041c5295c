"""What is different for single devices."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field

from lumi.config.sections import LocaleName, Section, Texts


class DeviceSettings(Section):
    """What is different for one device, or for those whose names are alike. Where several tables fit a device, the one
    with its very name comes first, then the later in the file. What was set when a device was
    registered stands above these.
    """

    match: Texts = Field(
        default=(),
        description="Ids of the devices, `*` and `?` standing for anything; by default the table's own name.",
    )
    prompt: str | None = Field(
        default=None, description="How the assistant should be, in place of `llm.prompt`."
    )
    language: Literal["zh", "en"] | None = Field(
        default=None, description="Language to begin with, whatever the device says of itself."
    )
    locale: LocaleName | None = Field(
        default=None, description="How dates and numbers are said, whatever the device says of itself."
    )
    timezone: str | None = Field(
        default=None, description="IANA name, e.g. `Asia/Shanghai`, whatever the device says of itself."
    )
    voice: str | None = Field(default=None, description="Voice, in place of `tts.voice`.")
    speed: float | None = Field(default=None, ge=0.5, le=2.0, description="In place of `tts.speed`.")
    stt: str | None = Field(
        default=None,
        min_length=1,
        description="Who recognises: an engine, or the name of an `[engines.NAME]` table.",
    )
    llm: str | None = Field(
        default=None,
        min_length=1,
        description="Who answers: an engine, or the name of an `[engines.NAME]` table.",
    )
    tts: str | None = Field(
        default=None,
        min_length=1,
        description="Who speaks: an engine, or the name of an `[engines.NAME]` table.",
    )
    record: bool | None = Field(
        default=None,
        description="Keep recordings of its sessions, sound included (`[recorder]`); tell the people who use it.",
    )
    tools_allow: Texts | None = Field(
        default=None,
        description="Names of the only tools that may be called from there, `*` standing for anything.",
    )
    tools_deny: Texts | None = Field(
        default=None,
        description="Names of tools that may not be called from there, `*` standing for anything.",
    )


def fits(name: str, table: DeviceSettings, device_id: str) -> int:
    """How well a table fits a device: 0 not at all, 1 by a pattern, 2 by its very name. Case does not matter."""
    wanted = device_id.lower()
    patterns = [pattern.lower() for pattern in table.match or (name,)]
    if wanted in patterns:
        return 2
    return int(any(fnmatchcase(wanted, pattern) for pattern in patterns))
