"""A model that hears, thinks and speaks by itself."""

from __future__ import annotations

from pydantic import Field

from lumi.config.engines import Remote


class DuplexSettings(Remote):
    """A realtime speech model, which does a whole spoken turn; `stt`, `llm` and `tts` take over when it fails."""

    engine: str = Field(default="", description="Engine that does whole turns, e.g. `openai_realtime`.")
    voice: str = Field(default="", description="One of the model's voices; by default its own choice.")
