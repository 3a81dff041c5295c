"""What the devices say is speech of the right length."""

from __future__ import annotations

import pytest

from lumi.audio.format import AudioFormat, duration_ms
from lumi.audio.opus import OpusDecoder
from lumi.bench.speech import ANSWERS, QUESTION_PACKETS, record_answers, record_question
from lumi.engines.espeak import EspeakTts
from lumi.testing.engines import ScriptedTts
from lumi.testing.sounds import loudness


async def test_a_question_is_two_seconds_of_packets_whatever_the_voices_rate() -> None:
    packets = await record_question(ScriptedTts(sample_rate_hz=22_050))
    assert len(packets) == QUESTION_PACKETS
    decoder = OpusDecoder(AudioFormat())
    assert duration_ms(b"".join(map(decoder.decode, packets)), 16_000) == pytest.approx(2040)


@pytest.mark.real
async def test_the_built_in_voice_speaks_question_and_answers() -> None:
    tts = EspeakTts()
    try:
        packets = await record_question(tts)
        answers = await record_answers(tts)
    finally:
        await tts.aclose()
    decoder = OpusDecoder(AudioFormat())
    frames = [loudness(decoder.decode(packet)) for packet in packets]
    assert len(frames) == QUESTION_PACKETS
    assert sum(level > 300 for level in frames) > QUESTION_PACKETS / 2
    assert len(answers) == len(ANSWERS)
    for answer in answers:
        assert 1500 < duration_ms(answer, tts.sample_rate_hz) < 4500
