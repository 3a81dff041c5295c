"""How kinds of clients are served, where the built-in table (docs/clients.md) does not fit."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lumi.config.sections import Section


class ClientSettings(Section):
    """A kind of client: one of docs/clients.md, or a new one that `user_agent` tells apart."""

    like: str = Field(default="xiaozhi", min_length=1, description="The profile that a new one begins as.")
    user_agent: str = Field(
        default="", description="Whoever has this in its `User-Agent` is such a client. Needed for a new one."
    )
    gap_ms: float | None = Field(
        default=None, ge=0, le=1000, description="Time between `tts start` and the first packet."
    )
    lead_ms: float | None = Field(
        default=None, ge=20, le=1000, description="How far ahead of real time speech is sent."
    )
    margin_ms: float | None = Field(
        default=None, ge=0, le=5000, description="Time between the end of playing and `tts stop`."
    )
    idle_s: float | None = Field(
        default=None, gt=0, description="Such a client is cut off when it sends nothing for so long."
    )
    rate_hz: Literal[8000, 12000, 16000, 24000, 48000] | None = Field(
        default=None, description="Sample rate of the Opus it is sent."
    )
    frame_ms: Literal[20, 40, 60] | None = Field(
        default=None, description="Length of the Opus packets it is sent."
    )
    waits_for_listen: bool | None = Field(
        default=None, description="Nothing is spoken to it before it first listens."
    )
    farewell: bool | None = Field(
        default=None, description="It is told goodbye aloud before it is cut off for silence."
    )
