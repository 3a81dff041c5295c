"""Sound in Wyoming's events: every chunk says its rate, width and channels; here it becomes mono of one rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from lumi.audio.format import BYTES_PER_SAMPLE
from lumi.audio.resample import Resampler, mix_down
from lumi.errors import FrameError

if TYPE_CHECKING:
    from wyoming.event import Event

RATES_HZ = range(4_000, 192_001)
MAX_CHANNELS = 8
BAD_SOUND = "bad_message"


class SoundFormat(msgspec.Struct):
    """What a chunk says of its sound."""

    rate: int
    width: int
    channels: int


class IncomingSound:
    """Chunks in, PCM of one rate out."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._resampler: Resampler | None = None

    def push(self, chunk: Event) -> bytes:
        """The sound that a chunk adds; may be empty.

        Raises:
            FrameError: it does not say what it is, or it is nothing that can be used.
        """
        try:
            form = msgspec.convert(chunk.data, SoundFormat)
        except msgspec.ValidationError as error:
            raise FrameError(BAD_SOUND, f"{chunk.type} has no format: {error}") from error
        if (
            form.rate not in RATES_HZ
            or form.width != BYTES_PER_SAMPLE
            or not 1 <= form.channels <= MAX_CHANNELS
        ):
            problem = (
                f"this sound cannot be used ({form.rate} Hz, {form.width} bytes a sample, {form.channels} channels); "
                f"accepted: {RATES_HZ[0]} to {RATES_HZ[-1]} Hz, {BYTES_PER_SAMPLE} bytes, 1 to {MAX_CHANNELS} channels"
            )
            raise FrameError(BAD_SOUND, problem)
        if self._resampler is None or self._resampler.from_hz != form.rate:
            self._resampler = Resampler(form.rate, self._rate_hz)
        return self._resampler.push(mix_down(chunk.payload or b"", form.channels))

    def rest(self) -> bytes:
        """What is still on its way when the sound has ended."""
        return self._resampler.push(b"", last=True) if self._resampler else b""
