"""What the devices say and what the server answers, spoken by the built-in voice and kept, so that no run waits for it."""

from __future__ import annotations

from collections.abc import Sequence

from lumi.audio.format import BYTES_PER_SAMPLE, AudioFormat
from lumi.audio.opus import OpusEncoder
from lumi.audio.resample import Reframer, Resampler
from lumi.engines.base import Tts, Voice

QUESTION = "Tell me something that I have never heard before, would you please?"
ANSWERS = (
    "The first cats here came by ship.",
    "A day on Venus is longer than a year.",
    "Honey never spoils in a closed jar.",
)
"""Some two seconds each: three of them are the six seconds that a device hears."""

QUESTION_PACKETS = 34
"""Two seconds of 60 ms packets."""


async def record(tts: Tts, text: str) -> bytes:
    """PCM of `text` at the engine's rate."""
    return b"".join([piece async for piece in tts.synthesize(text, Voice(language="en"))])


async def record_answers(tts: Tts) -> Sequence[bytes]:
    return [await record(tts, text) for text in ANSWERS]


async def record_question(tts: Tts) -> list[bytes]:
    """Opus packets of a question, exactly two seconds of speech."""
    audio = AudioFormat()
    pcm = Resampler(tts.sample_rate_hz, audio.sample_rate_hz).push(await record(tts, QUESTION), last=True)
    spoken = pcm[: QUESTION_PACKETS * audio.frame_samples * BYTES_PER_SAMPLE]
    encoder = OpusEncoder(audio)
    try:
        return [encoder.encode(frame) for frame in Reframer(audio.frame_bytes).push(spoken, last=True)]
    finally:
        encoder.close()
