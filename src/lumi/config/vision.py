"""Who looks at pictures."""

from __future__ import annotations

from pydantic import Field

from lumi.config.engines import Remote


class VisionSettings(Remote):
    """What looks at the pictures of devices with a camera; where nothing is set, the model of `[llm]`."""

    engine: str = Field(default="openai", min_length=1, description="Engine that looks at pictures.")
    timeout_s: float = Field(
        default=60.0, gt=0, le=600, description="How long to wait for the whole description of a picture."
    )

    @property
    def own(self) -> bool:
        """Whether a model of its own is set."""
        return bool(self.base_url or self.model or self.api_key or self.options)
