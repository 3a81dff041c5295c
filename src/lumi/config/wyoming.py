"""Lumi as a service of the Wyoming protocol, for Home Assistant."""

from __future__ import annotations

from pydantic import Field

from lumi.config.sections import Section


class WyomingSettings(Section):
    """Recognition, speech and conversation for others, e.g. Home Assistant, over the Wyoming protocol."""

    port: int = Field(default=0, ge=0, le=65535, description="Port to listen on, e.g. 10300; 0: not offered.")
    host: str = Field(default="", description="Address to listen on. By default the server's.")
    open: bool = Field(
        default=False,
        description="Let in anyone who reaches the address: Wyoming knows no token. Required when `host` is not this "
        "machine alone.",
    )
    connections: int = Field(
        default=64, ge=1, le=1024, description="Connections at once; one more is told to come back later."
    )
    name: str = Field(
        default="", max_length=50, description="How others see it. By default Lumi with this machine's name."
    )
