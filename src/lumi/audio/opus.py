"""Opus by libopus: the system's, or the one inside the PyAV wheel. A thin binding, no more.

Calls release the interpreter lock (as every `ctypes.CDLL` call does), so several threads code at once. An encoder or a
decoder belongs to one thread at a time.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Final

from lumi.audio.format import BYTES_PER_SAMPLE, AudioFormat
from lumi.audio.libopus import describe, load_library
from lumi.errors import AudioError, CorruptAudio

SAMPLE_RATES_HZ: Final = (8_000, 12_000, 16_000, 24_000, 48_000)
"""Rates at which libopus codes; it decodes at any of them whatever the sender used."""

FRAME_DURATIONS_MS: Final = (20, 40, 60)

MIN_PACKET_BYTES: Final = 10
"""Shorter packets are padded: one client in the field drops them."""

MAX_PACKET_BYTES: Final = 1000

DEFAULT_BITRATE_BPS: Final = 24_000
DEFAULT_COMPLEXITY: Final = 5

# opus_defines.h
_OK = 0
_APPLICATION_VOIP = 2048
_SET_BITRATE = 4002
_SET_VBR = 4006
_SET_COMPLEXITY = 4010
_SET_SIGNAL = 4024
_RESET_STATE = 4028
_SIGNAL_VOICE = 3001

_LONGEST_PACKET_MS = 120
"""What one Opus packet can hold at most (RFC 6716, 2.1.4), though Lumi never sends more than 60 ms."""


def _check_format(audio: AudioFormat) -> None:
    if audio.sample_rate_hz not in SAMPLE_RATES_HZ:
        raise AudioError(f"Opus has no sample rate {audio.sample_rate_hz} Hz; accepted: {SAMPLE_RATES_HZ}")
    if audio.channels not in (1, 2):
        raise AudioError(f"Opus is coded with 1 or 2 channels here, not {audio.channels}")
    if audio.frame_ms not in FRAME_DURATIONS_MS:
        raise AudioError(f"Opus frames are {FRAME_DURATIONS_MS} ms here, not {audio.frame_ms}")


class OpusEncoder:
    """Encodes speech frame by frame, with a variable bit rate.

    Args:
        audio: rate, channels and frame length.
        complexity: 0 (cheapest) … 10 (best).
        bitrate_bps: the mean the encoder aims at.

    Raises:
        OpusUnavailable: no library.
        AudioError: a format that Opus does not have.
    """

    def __init__(
        self,
        audio: AudioFormat,
        *,
        complexity: int = DEFAULT_COMPLEXITY,
        bitrate_bps: int = DEFAULT_BITRATE_BPS,
    ) -> None:
        _check_format(audio)
        self._library = library = load_library()
        self._frame_bytes = audio.frame_bytes
        self._frame_samples = audio.frame_samples
        status = ctypes.c_int()
        handle = library.opus_encoder_create(
            audio.sample_rate_hz, audio.channels, _APPLICATION_VOIP, ctypes.byref(status)
        )
        if status.value != _OK or not handle:
            raise AudioError(f"Opus encoder: {describe(library, status.value)}")
        self._handle = ctypes.c_void_p(handle)
        self._packet = ctypes.create_string_buffer(MAX_PACKET_BYTES)
        self._free = weakref.finalize(self, library.opus_encoder_destroy, self._handle)
        # VBR always: at a constant rate the encoder costs 1.6 to 1.8 times as much.
        for request, value in ((_SET_VBR, 1), (_SET_SIGNAL, _SIGNAL_VOICE), (_SET_BITRATE, bitrate_bps)):
            self._set(request, value)
        self.set_complexity(complexity)

    def set_complexity(self, complexity: int) -> None:
        """Change quality against cost, also in the middle of a stream: 0 … 10."""
        self._set(_SET_COMPLEXITY, complexity)

    def encode(self, pcm: bytes) -> bytes:
        """Encode exactly one frame of PCM into one packet of 10 … 1000 bytes.

        Raises:
            AudioError: `pcm` is not one frame long.
        """
        if len(pcm) != self._frame_bytes:
            raise AudioError(f"an Opus frame takes {self._frame_bytes} bytes of PCM, not {len(pcm)}")
        length = self._library.opus_encode(
            self._handle, pcm, self._frame_samples, self._packet, MAX_PACKET_BYTES
        )
        if length < 0:
            raise AudioError(f"Opus encoder: {describe(self._library, length)}")
        if length < MIN_PACKET_BYTES:
            self._library.opus_packet_pad(self._packet, length, MIN_PACKET_BYTES)
            length = MIN_PACKET_BYTES
        return ctypes.string_at(self._packet, length)

    def reset(self) -> None:
        """Forget what was encoded: the next frame starts a new stream."""
        self._library.opus_encoder_ctl(self._handle, _RESET_STATE)

    def close(self) -> None:
        """Give the memory back; the encoder must not be used any more. May be called twice."""
        self._free()

    def _set(self, request: int, value: int) -> None:
        status = self._library.opus_encoder_ctl(self._handle, request, ctypes.c_int(value))
        if status != _OK:
            raise AudioError(f"Opus encoder setting {request} = {value}: {describe(self._library, status)}")


class OpusDecoder:
    """Decodes packets of any rate and length to PCM of the format's rate and channels.

    Raises:
        OpusUnavailable: no library.
        AudioError: a rate that Opus does not have.
    """

    def __init__(self, audio: AudioFormat) -> None:
        _check_format(audio)
        self._library = library = load_library()
        self._sample_bytes = BYTES_PER_SAMPLE * audio.channels
        self._frame_samples = audio.frame_samples
        self._longest_samples = audio.sample_rate_hz * _LONGEST_PACKET_MS // 1000
        status = ctypes.c_int()
        handle = library.opus_decoder_create(audio.sample_rate_hz, audio.channels, ctypes.byref(status))
        if status.value != _OK or not handle:
            raise AudioError(f"Opus decoder: {describe(library, status.value)}")
        self._handle = ctypes.c_void_p(handle)
        self._pcm = ctypes.create_string_buffer(self._longest_samples * self._sample_bytes)
        self._free = weakref.finalize(self, library.opus_decoder_destroy, self._handle)

    def decode(self, packet: bytes) -> bytes:
        """Decode one packet; a packet of one byte (discontinuous transmission) is silence.

        Raises:
            CorruptAudio: this is not Opus.
        """
        if not packet:
            raise CorruptAudio("an empty packet is not Opus")
        return self._decode(packet, len(packet), self._longest_samples)

    def conceal(self) -> bytes:
        """One frame that hides a lost packet: the sound before it, fading."""
        return self._decode(None, 0, self._frame_samples)

    def reset(self) -> None:
        """Forget what was decoded: the next packet starts a new stream."""
        self._library.opus_decoder_ctl(self._handle, _RESET_STATE)

    def close(self) -> None:
        """Give the memory back; the decoder must not be used any more. May be called twice."""
        self._free()

    def _decode(self, packet: bytes | None, length: int, room_samples: int) -> bytes:
        samples = self._library.opus_decode(self._handle, packet, length, self._pcm, room_samples, 0)
        if samples < 0:
            raise CorruptAudio(f"a packet of {length} bytes is not Opus: {describe(self._library, samples)}")
        return ctypes.string_at(self._pcm, samples * self._sample_bytes)
