"""Changes the sample rate of speech, in plain Python: a client needs no numeric library for a WAV file.

Measured at some 60 ms of work per second of speech: fine for one voice, too slow for a server.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Sequence
from operator import mul

_HALF_TAPS = 12
"""Zero crossings of the sinc on either side: enough for speech."""


def _kernel(up: int, down: int) -> list[tuple[float, ...]]:
    """For each of `up` phases the taps of a Hann-windowed sinc that passes what both rates can hold."""
    cutoff = min(1.0, up / down)
    half = math.ceil(_HALF_TAPS / cutoff)
    phases = []
    for phase in range(up):
        offset = phase / up
        taps = [_tap(index - half + 1 - offset, cutoff, half) for index in range(2 * half)]
        gain = sum(taps)
        phases.append(tuple(tap / gain for tap in taps))
    return phases


def _tap(distance: float, cutoff: float, half: int) -> float:
    if abs(distance) >= half:
        return 0.0
    angle = math.pi * distance * cutoff
    sinc = 1.0 if angle == 0 else math.sin(angle) / angle
    return sinc * (0.5 + 0.5 * math.cos(math.pi * distance / half))


class Resampler:
    """Streams s16le mono PCM from one rate to another; pieces may have any length.

    Args:
        from_hz: rate of what is fed.
        to_hz: rate of what comes out. Equal rates pass through unchanged.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self.from_hz = from_hz
        common = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        self._phases = _kernel(self._up, self._down) if self._up != self._down else []
        self._lead = len(self._phases[0]) // 2 - 1 if self._phases else 0
        # The first output sample lies on the first input sample: half a kernel of silence stands before it.
        self._samples = array("h", bytes(2 * self._lead))
        self._position = 0
        self._odd = b""

    def feed(self, pcm: bytes) -> bytes:
        """What can be computed so far; some 12 samples stay behind until more comes."""
        data = self._odd + pcm
        whole = len(data) & ~1
        data, self._odd = data[:whole], data[whole:]
        if not self._phases:
            return data
        self._samples.extend(_from_bytes(data))
        return self._drain()

    def flush(self) -> bytes:
        """What stayed behind."""
        if not self._phases:
            return b""
        return self.feed(bytes(2 * (self._lead + 1)))

    def _drain(self) -> bytes:
        out = array("h")
        samples, phases, up = self._samples, self._phases, self._up
        taps = len(phases[0])
        while (start := self._position // up) + taps <= len(samples):
            value = sum(map(mul, phases[self._position % up], samples[start : start + taps]))
            out.append(max(-32768, min(32767, round(value))))
            self._position += self._down
        used = min(self._position // up, len(samples))
        del samples[:used]
        self._position -= used * up
        return _to_bytes(out)


def _from_bytes(pcm: bytes) -> array[int]:
    samples = array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _to_bytes(samples: array[int]) -> bytes:
    if sys.byteorder == "big":
        samples = samples[:]
        samples.byteswap()
    return samples.tobytes()


def nearest_rate(rate_hz: int, accepted: Sequence[int]) -> int:
    """The lowest accepted rate that loses nothing of `rate_hz`, or the highest there is."""
    return min((rate for rate in accepted if rate >= rate_hz), default=max(accepted))
