"""What a client tells its application: the protocol's messages, and sound."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from lumi.audio.format import duration_ms
from lumi.protocol.messages import AudioFrame, Fault, ServerMessage


@dataclass(frozen=True, slots=True)
class Audio:
    """One packet of the server's voice.

    `pcm` is s16le mono at `rate_hz`; empty where this machine cannot decode Opus, or the packet was broken.
    `turn_id` is that of the spoken turn it belongs to, if the server tells.
    """

    packet: bytes = field(repr=False)
    pcm: bytes = field(default=b"", repr=False)
    rate_hz: int = 16_000
    turn_id: str | None = None
    type: ClassVar[str] = "binary_audio"

    @property
    def duration_ms(self) -> float:
        return duration_ms(self.pcm, self.rate_hz)


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """The last item of a link: why there will be no more. `ours` says that this side closed it, `link` which of
    the connection's links it was (they are counted from 1).
    """

    code: int
    reason: str = ""
    ours: bool = False
    link: int = field(default=0, compare=False)

    @property
    def orderly(self) -> bool:
        return self.ours or self.code in {1000, 1001}


Incoming = ServerMessage | AudioFrame | Fault | LinkClosed
"""What comes from a link, in order."""

Event = ServerMessage | Audio
"""What an application sees."""
