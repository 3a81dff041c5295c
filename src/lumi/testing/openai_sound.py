"""Tones as a speech service sends them: raw PCM, WAV, MP3, Ogg Opus."""

from __future__ import annotations

import io
import wave
from typing import Any

from aiohttp import web

from lumi.audio.sound_stream import Container
from lumi.audio.wav import wav_bytes

MEDIA_TYPES = {
    Container.PCM: "audio/pcm",
    Container.WAV: "audio/wav",
    Container.MP3: "audio/mpeg",
    Container.OPUS: "audio/ogg",
}
_ENCODERS = {Container.MP3: ("mp3", "libmp3lame"), Container.OPUS: ("ogg", "libopus")}


def encoded(pcm: bytes, rate_hz: int, container: Container) -> bytes:
    """Mono 16-bit PCM in a container; MP3 and Opus need PyAV."""
    if container is Container.PCM:
        return pcm
    if container is Container.WAV:
        return wav_bytes(pcm, rate_hz)
    return _by_av(pcm, rate_hz, *_ENCODERS[container])


def sound_in(part: Any) -> tuple[bytes, int]:
    """PCM and rate of the WAV file in a form. Raises `wave.Error`, `EOFError`."""
    if not isinstance(part, web.FileField):
        raise wave.Error("the form has no file")
    with part.file:
        data = part.file.read()
    with wave.open(io.BytesIO(data)) as file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            raise wave.Error("the WAV is not mono with 16 bits")
        return file.readframes(file.getnframes()), file.getframerate()


def _by_av(pcm: bytes, rate_hz: int, form: str, codec: str) -> bytes:
    import av

    raw = io.BytesIO()
    with av.open(raw, "w", format=form) as file:
        stream: Any = file.add_stream(codec, rate=rate_hz)
        stream.layout = "mono"
        frame = av.AudioFrame("s16", "mono", len(pcm) // 2, align=1)
        frame.planes[0].update(pcm)
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate_hz)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            for packet in stream.encode(part):
                file.mux(packet)
    return raw.getvalue()
