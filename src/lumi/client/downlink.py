"""The server's voice on its way in: packets of the agreed format into PCM."""

from __future__ import annotations

import logging

from lumi.audio.format import AudioFormat, Codec
from lumi.audio.opus import OpusDecoder
from lumi.client.events import Audio
from lumi.errors import CorruptAudio, OpusUnavailable
from lumi.protocol.messages import AudioFrame

_log = logging.getLogger("lumi.client.audio")


class Downlink:
    """Decodes one connection's sound. A broken packet is replaced by what hides its loss, and counted.

    Without an Opus library the packets are handed on undecoded (`pcm` empty): a chat needs no codec.
    """

    def __init__(self, audio: AudioFormat) -> None:
        self.audio = audio
        self.corrupt = 0
        self._decoder = _open_decoder(audio)

    def decode(self, frame: AudioFrame, turn_id: str | None = None) -> Audio:
        """An empty packet says 'end of audio' and is no sound."""
        return Audio(frame.payload, self._pcm(frame.payload), self.audio.sample_rate_hz, turn_id)

    def reset(self) -> None:
        """A new turn starts: nothing of the old one may sound in it."""
        if self._decoder is not None:
            self._decoder.reset()

    def _pcm(self, packet: bytes) -> bytes:
        if not packet or self.audio.codec is Codec.PCM:
            return packet
        if self._decoder is None:
            return b""
        try:
            return self._decoder.decode(packet)
        except CorruptAudio:
            self.corrupt += 1
            return self._decoder.conceal()


def _open_decoder(audio: AudioFormat) -> OpusDecoder | None:
    if audio.codec is not Codec.OPUS:
        return None
    try:
        return OpusDecoder(audio)
    except OpusUnavailable as error:
        _log.warning("the server's voice stays undecoded: %s", error)
        return None
