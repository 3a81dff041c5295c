"""How long what people said is kept."""

from __future__ import annotations

from pydantic import Field

from lumi.config.sections import Section


class RetentionSettings(Section):
    """How long what people said is kept at most; docs/privacy.md tells what is kept where. Answers: `store.answers_hours`."""

    dialogue_days: float = Field(
        default=1.0,
        gt=0,
        description="What was said in a conversation. It goes earlier when nobody comes back to it (`limits.resume_s`).",
    )
    recording_days: float = Field(
        default=7.0, gt=0, description="Recordings of sessions, counted from their last moment."
    )
    log_days: float = Field(
        default=30.0, gt=0, description="Old log files; the present one is bounded by `log.file_mb`."
    )
