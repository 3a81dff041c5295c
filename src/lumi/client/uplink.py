"""The user's voice on its way out: PCM of any rate into packets of the agreed format, at the pace of speech."""

from __future__ import annotations

import asyncio

from lumi.audio.format import BYTES_PER_SAMPLE, AudioFormat, Codec
from lumi.audio.libopus import load_library
from lumi.audio.opus import SAMPLE_RATES_HZ, OpusEncoder
from lumi.client.resampling import Resampler, nearest_rate
from lumi.errors import OpusUnavailable


class Uplink:
    """Cuts and encodes a stream of PCM. One per recording; belongs to the event loop.

    Opus is encoded at the rate that suits the recording, whatever rate was agreed: the decoder does not mind.

    Args:
        audio: the agreed format of what this client sends.
        rate_hz: the recording's rate.

    Raises:
        OpusUnavailable: the format is Opus and this machine has none.
    """

    def __init__(self, audio: AudioFormat, rate_hz: int) -> None:
        opus = audio.codec is Codec.OPUS
        self.rate_hz = rate_hz
        coded_hz = nearest_rate(rate_hz, SAMPLE_RATES_HZ) if opus else audio.sample_rate_hz
        coded = AudioFormat(audio.codec, coded_hz, 1, audio.frame_ms)
        self._frame_bytes = coded.frame_samples * BYTES_PER_SAMPLE
        self._encoder = OpusEncoder(coded) if opus else None
        self._resampler = Resampler(rate_hz, coded_hz)
        self._rest = b""

    def feed(self, pcm: bytes) -> list[bytes]:
        """Whole packets so far; the rest waits for more."""
        self._rest += self._resampler.feed(pcm)
        whole = len(self._rest) - len(self._rest) % self._frame_bytes
        frames, self._rest = self._rest[:whole], self._rest[whole:]
        return [
            self._packet(frames[at : at + self._frame_bytes]) for at in range(0, whole, self._frame_bytes)
        ]

    def flush(self) -> list[bytes]:
        """The rest, filled up with silence to a whole packet."""
        packets = self.feed(self._resampler.flush())
        if self._rest:
            packets.append(self._packet(self._rest.ljust(self._frame_bytes, b"\0")))
            self._rest = b""
        return packets

    def close(self) -> None:
        if self._encoder is not None:
            self._encoder.close()

    def _packet(self, frame: bytes) -> bytes:
        return frame if self._encoder is None else self._encoder.encode(frame)


class RealTimePace:
    """Holds packets back so that they leave as fast as they would be spoken. `lead_s` may be sent ahead of that."""

    def __init__(self, frame_s: float, *, lead_s: float = 0.0) -> None:
        self._frame_s = frame_s
        self._lead_s = lead_s
        self._due_s = 0.0

    async def wait(self) -> None:
        """Wait until the next packet is due. After a pause the pace starts anew: nothing is caught up in a burst."""
        now = asyncio.get_running_loop().time()
        self._due_s = max(self._due_s, now)
        await asyncio.sleep(self._due_s - self._lead_s - now)
        self._due_s += self._frame_s


def best_audio() -> AudioFormat:
    """Opus where this machine has it, else PCM: a conversation needs no codec."""
    try:
        load_library()
    except OpusUnavailable:
        return AudioFormat(Codec.PCM)
    return AudioFormat()
