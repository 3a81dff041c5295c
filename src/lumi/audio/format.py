"""What a stream of sound looks like on the wire and in memory."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

BYTES_PER_SAMPLE = 2
"""PCM inside Lumi is signed 16-bit little-endian, one channel, as `bytes`."""

SPEECH_RATE_HZ = 16_000
"""The rate at which voice activity detection and recognition listen."""


class Codec(StrEnum):
    OPUS = "opus"
    PCM = "pcm"


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One direction of a stream: what each packet holds."""

    codec: Codec = Codec.OPUS
    sample_rate_hz: int = 16_000
    channels: int = 1
    frame_ms: int = 60

    @property
    def frame_samples(self) -> int:
        return self.sample_rate_hz * self.frame_ms // 1000

    @property
    def frame_bytes(self) -> int:
        """Bytes of PCM in one frame (not of one Opus packet)."""
        return self.frame_samples * self.channels * BYTES_PER_SAMPLE


def duration_ms(pcm: bytes, rate_hz: int) -> float:
    """Length of mono PCM in milliseconds."""
    return len(pcm) * 1000 / (BYTES_PER_SAMPLE * rate_hz)
