"""Models for the engines that run here."""

from __future__ import annotations

from pydantic import Field

from lumi.config.sections import Section


class ModelSettings(Section):
    """Where `lumi models` gets them."""

    hub: str = Field(
        default="https://huggingface.co",
        pattern=r"^https?://",
        examples=["https://hub.example"],
        description="Address in place of Hugging Face's, for networks that do not reach it.",
    )
