"""Where recordings of sessions are kept, and how large they may be."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from lumi.config.sections import Section


class RecorderSettings(Section):
    """Recordings of sessions, their sound included: of devices with `record = true` alone (`[devices.NAME]`)."""

    folder: Path | None = Field(
        default=None, description="Directory for recordings. By default `recordings` in the data directory."
    )
    file_mb: int = Field(
        default=64,
        ge=1,
        le=500,
        description="Largest recording; what comes after is not recorded. An hour of talk takes some 15 MB.",
    )
    folder_mb: int = Field(
        default=1024, ge=1, description="All recordings together; beyond, the oldest are deleted."
    )
