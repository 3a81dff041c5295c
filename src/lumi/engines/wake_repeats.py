"""One wake word that is heard is told once: its end is often taken for another."""

from __future__ import annotations

from lumi.audio.format import BYTES_PER_SAMPLE, SPEECH_RATE_HZ

QUIET_S = 1.0


class WakeRepeats:
    """Knows of one stream what was told when. Time is that of the sound: streams may come faster than they were said."""

    def __init__(self, quiet_s: float = QUIET_S) -> None:
        self._quiet_bytes = round(quiet_s * SPEECH_RATE_HZ) * BYTES_PER_SAMPLE
        self._heard_bytes = 0
        self._told_at: dict[str, int] = {}

    def add(self, pcm: bytes) -> None:
        """So much more was heard."""
        self._heard_bytes += len(pcm)

    def is_new(self, name: str) -> bool:
        """Whether this is to be told; it is taken as told then."""
        last = self._told_at.get(name)
        self._told_at[name] = self._heard_bytes
        return last is None or self._heard_bytes - last > self._quiet_bytes
